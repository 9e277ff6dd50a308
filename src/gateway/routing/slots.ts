import { FairTurns } from "../../lib/fair-turns.ts";

interface Waiting {
  readonly units: number;
  readonly granted: (release: () => void) => void;
}

/**
 * How much of each provider's concurrency is taken. Those who wait for a place take turns by key
 * (`lib/fair-turns.ts`): a key with a hundred calls waiting delays another's single one by one turn. Who
 * is next waits for as many units as it takes, and nobody gets them before: a call that takes several
 * would else wait for ever.
 */
export class Slots {
  readonly #limitOf: (provider: string) => number | null;
  readonly #providers = new Map<string, FairTurns<Waiting>>();

  /** `limitOf`: units of a provider that may be taken at once; null is no limit. */
  constructor(limitOf: (provider: string) => number | null) {
    this.#limitOf = limitOf;
  }

  /** Whether so many units can be taken at once. */
  hasPlace(provider: string, units: number): boolean {
    const turns = this.#providers.get(provider);
    if (turns === undefined) return true;
    return turns.waiting === 0 && this.#fits(provider, turns, units);
  }

  /** Takes so many units and returns how to give them back (once); null when they are not free. */
  take(provider: string, units: number, keyId: string): (() => void) | null {
    if (this.#limitOf(provider) === null) return nothing;
    if (!this.hasPlace(provider, units)) return null;
    const turns = this.#of(provider);
    turns.begin(keyId, units);
    return this.#release(provider, turns, units, keyId);
  }

  /** Calls `granted` with how to give them back, once they are free; never at once. Returns how to stop waiting. */
  wait(provider: string, units: number, keyId: string, granted: Waiting["granted"]): () => void {
    const waiting = { units, granted };
    const turns = this.#of(provider);
    turns.add(keyId, waiting);
    return () => {
      if (turns.remove(keyId, waiting)) this.#grant(provider, turns);
    };
  }

  #of(provider: string): FairTurns<Waiting> {
    let turns = this.#providers.get(provider);
    if (turns === undefined) {
      turns = new FairTurns();
      this.#providers.set(provider, turns);
    }
    return turns;
  }

  /** A call that takes more than there is runs alone. */
  #fits(provider: string, { running }: FairTurns<Waiting>, units: number): boolean {
    const limit = this.#limitOf(provider);
    return limit === null || running === 0 || running + units <= limit;
  }

  #release(provider: string, turns: FairTurns<Waiting>, units: number, keyId: string): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      turns.end(keyId, units);
      this.#grant(provider, turns);
    };
  }

  #grant(provider: string, turns: FairTurns<Waiting>): void {
    for (let next = turns.next(); next !== null; next = turns.next()) {
      const { keyId, item } = next;
      if (!this.#fits(provider, turns, item.units)) return;
      turns.begin(keyId, item.units, item);
      item.granted(this.#release(provider, turns, item.units, keyId));
    }
  }
}

function nothing(): void {
  // There was nothing to take.
}
