/** How much of a provider's concurrency is taken, and who waits for some of it: all who do are woken in their order. */
export class Slots {
  readonly #limitOf: (provider: string) => number | null;
  readonly #taken = new Map<string, number>();
  readonly #waiting = new Map<string, Set<() => void>>();

  /** `limitOf`: units of a provider that may be taken at once; null is no limit. */
  constructor(limitOf: (provider: string) => number | null) {
    this.#limitOf = limitOf;
  }

  /** Takes so many units and returns how to give them back (once); null when they are not free. */
  take(provider: string, units: number): (() => void) | null {
    const limit = this.#limitOf(provider);
    if (limit === null) return nothing;
    const taken = this.#taken.get(provider) ?? 0;
    // A call that takes more than there is runs alone.
    if (taken > 0 && taken + units > limit) return null;
    this.#taken.set(provider, taken + units);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#taken.set(provider, (this.#taken.get(provider) ?? 0) - units);
      const waiting = this.#waiting.get(provider);
      this.#waiting.delete(provider);
      for (const wake of waiting ?? []) wake();
    };
  }

  /** Calls `wake` once, when any unit of one of these providers is given back. Returns how to stop waiting. */
  onFree(providers: Iterable<string>, wake: () => void): () => void {
    const sets: Set<() => void>[] = [];
    for (const provider of providers) {
      const set = this.#waiting.get(provider) ?? new Set();
      this.#waiting.set(provider, set.add(wake));
      sets.push(set);
    }
    return () => {
      for (const set of sets) set.delete(wake);
    };
  }
}

function nothing(): void {
  // There was nothing to take.
}
