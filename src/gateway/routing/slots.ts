interface Waiting {
  readonly units: number;
  readonly granted: (release: () => void) => void;
}

interface Taken {
  units: number;
  /** In the order in which they came. */
  readonly waiting: Set<Waiting>;
}

/**
 * How much of each provider's concurrency is taken. Those who wait for a place get one in the order in
 * which they came, and nobody who comes later gets one before: a call that takes several units would
 * else wait for ever.
 */
export class Slots {
  readonly #limitOf: (provider: string) => number | null;
  readonly #providers = new Map<string, Taken>();

  /** `limitOf`: units of a provider that may be taken at once; null is no limit. */
  constructor(limitOf: (provider: string) => number | null) {
    this.#limitOf = limitOf;
  }

  /** Whether so many units can be taken at once. */
  hasPlace(provider: string, units: number): boolean {
    const taken = this.#providers.get(provider);
    if (taken === undefined) return true;
    return taken.waiting.size === 0 && this.#fits(provider, taken, units);
  }

  /** Takes so many units and returns how to give them back (once); null when they are not free. */
  take(provider: string, units: number): (() => void) | null {
    if (this.#limitOf(provider) === null) return nothing;
    return this.hasPlace(provider, units) ? this.#take(provider, units) : null;
  }

  /** Calls `granted` with how to give them back, once they are free; never at once. Returns how to stop waiting. */
  wait(provider: string, units: number, granted: Waiting["granted"]): () => void {
    const waiting = { units, granted };
    const { waiting: all } = this.#of(provider);
    all.add(waiting);
    return () => {
      if (all.delete(waiting)) this.#grant(provider);
    };
  }

  #of(provider: string): Taken {
    let taken = this.#providers.get(provider);
    if (taken === undefined) {
      taken = { units: 0, waiting: new Set() };
      this.#providers.set(provider, taken);
    }
    return taken;
  }

  /** A call that takes more than there is runs alone. */
  #fits(provider: string, taken: Taken, units: number): boolean {
    const limit = this.#limitOf(provider);
    return limit === null || taken.units === 0 || taken.units + units <= limit;
  }

  #take(provider: string, units: number): () => void {
    const taken = this.#of(provider);
    taken.units += units;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      taken.units -= units;
      this.#grant(provider);
    };
  }

  #grant(provider: string): void {
    const taken = this.#of(provider);
    for (const first of taken.waiting) {
      if (!this.#fits(provider, taken, first.units)) return;
      taken.waiting.delete(first);
      first.granted(this.#take(provider, first.units));
    }
  }
}

function nothing(): void {
  // There was nothing to take.
}
