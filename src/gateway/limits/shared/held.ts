import type { Claim, Lease, Used } from "../limits.ts";
import type { Hold } from "./messages.ts";

/** One admitted request that has not ended. */
export interface Held {
  readonly id: string;
  readonly claim: Claim;
  /** What Redis holds for it; undefined where nothing is. */
  readonly hold: Hold | undefined;
  /** When it was admitted, in Unix milliseconds. */
  readonly wall: number;
  /** Its lease in this gateway's own share; null for one that Redis gave. */
  readonly local: Lease | null;
  /** Whether Redis knows of it. */
  known: boolean;
  /** Redis holds it until then at least, on the clock of this process. */
  expiresAt: number;
  /** It could not be renewed, and its call was told to end. */
  lost: boolean;
  end: (() => void) | null;
}

/** The running requests of this gateway, and which of them must be renewed or ended. */
export class HeldLeases {
  readonly #all = new Map<string, Held>();
  #lost = 0;

  get size(): number {
    return this.#all.size;
  }

  get lost(): number {
    return this.#lost;
  }

  /** Units of the key's running requests here; with `unheld` only of those for which Redis holds nothing. */
  unitsOf(keyId: string, which: "all" | "unheld"): number {
    let units = 0;
    for (const { claim, hold } of this.#all.values())
      if (claim.keyId === keyId && (which === "all" || hold === undefined)) units += claim.units;
    return units;
  }

  /** What is set aside of the key's budget in that period for running requests that Redis admitted. */
  reservedOf(keyId: string, period: string): number {
    let nanoUsd = 0;
    for (const { claim, hold, local } of this.#all.values())
      if (local === null && claim.keyId === keyId && hold?.b === period) nanoUsd += hold.n;
    return nanoUsd;
  }

  add(held: Held): void {
    this.#all.set(held.id, held);
  }

  /** False when it was removed before. */
  remove({ id }: Held): boolean {
    return this.#all.delete(id);
  }

  /** Those that Redis should hold, and whose time ends before that. */
  endingBefore(time: number): Held[] {
    return [...this.#all.values()].filter(
      (held) => held.hold !== undefined && !held.lost && held.expiresAt <= time,
    );
  }

  renewed(all: readonly Held[], expiresAt: number): void {
    for (const held of all) {
      held.known = true;
      held.expiresAt = expiresAt;
    }
  }

  /** Ends the calls whose places will be others' at that time: what only money is held for may go on. */
  endLost(time: number): void {
    for (const held of this.#all.values()) {
      if (held.lost || !held.known || held.expiresAt >= time || !isBinding(held.claim)) continue;
      held.lost = true;
      this.#lost += 1;
      held.end?.();
    }
  }

  /** As the gateway sees it. */
  leaseOf(held: Held, headers: Lease["headers"], release: (held: Held, used: Used) => void): Lease {
    return {
      headers,
      units: held.claim.units,
      release: (used = { tokens: 0, costNanoUsd: 0 }) => release(held, used),
      onLost: (end) => {
        held.end = end;
        if (held.lost) end();
      },
    };
  }
}

function isBinding({ limits, image }: Claim): boolean {
  return limits.concurrency > 0 || (limits.imageParallel > 0 && image);
}
