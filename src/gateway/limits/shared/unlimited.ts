import type { Lease, Used } from "../limits.ts";

const NO_HEADERS = {};

/** Running calls that no limit is asked for: counted, and nothing else. */
export class Unlimited {
  readonly #units = new Map<string, number>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Units of the key's running calls here. */
  unitsOf(keyId: string): number {
    return this.#units.get(keyId) ?? 0;
  }

  /** @param ended told once, with what the call took */
  lease(keyId: string, units: number, ended: (used: Used) => void): Lease {
    let held = true;
    this.#add(keyId, units, 1);
    return {
      headers: NO_HEADERS,
      units,
      release: (used = { tokens: 0, costNanoUsd: 0 }) => {
        if (!held) return;
        held = false;
        this.#add(keyId, -units, -1);
        ended(used);
      },
      onLost: () => undefined,
    };
  }

  #add(keyId: string, units: number, calls: number): void {
    this.#size += calls;
    const sum = this.unitsOf(keyId) + units;
    if (sum === 0) this.#units.delete(keyId);
    else this.#units.set(keyId, sum);
  }
}
