interface Waiting {
  readonly units: number;
  readonly granted: (release: () => void) => void;
}

/** One key at one provider. */
interface Line {
  /** Units that its calls have taken. */
  units: number;
  /** In the order in which they came. */
  readonly waiting: Set<Waiting>;
}

interface Taken {
  units: number;
  waiting: number;
  /** Who has or wants a place; the order is that of their turns. */
  readonly lines: Map<string, Line>;
}

/**
 * How much of each provider's concurrency is taken. Among those who wait for a place the key that has
 * the fewest comes first, and of several such keys the one whose last turn is longest ago: a key with a
 * hundred calls waiting delays another's single one by one turn. Who is next waits for as many units
 * as it takes, and nobody gets them before: a call that takes several would else wait for ever.
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
    return taken.waiting === 0 && this.#fits(provider, taken, units);
  }

  /** Takes so many units and returns how to give them back (once); null when they are not free. */
  take(provider: string, units: number, keyId: string): (() => void) | null {
    if (this.#limitOf(provider) === null) return nothing;
    if (!this.hasPlace(provider, units)) return null;
    const taken = this.#of(provider);
    return this.#take(provider, taken, units, keyId);
  }

  /** Calls `granted` with how to give them back, once they are free; never at once. Returns how to stop waiting. */
  wait(provider: string, units: number, keyId: string, granted: Waiting["granted"]): () => void {
    const waiting = { units, granted };
    const taken = this.#of(provider);
    lineOf(taken, keyId).waiting.add(waiting);
    taken.waiting += 1;
    return () => {
      if (leave(taken, keyId, waiting)) this.#grant(provider, taken);
    };
  }

  #of(provider: string): Taken {
    let taken = this.#providers.get(provider);
    if (taken === undefined) {
      taken = { units: 0, waiting: 0, lines: new Map() };
      this.#providers.set(provider, taken);
    }
    return taken;
  }

  /** A call that takes more than there is runs alone. */
  #fits(provider: string, taken: Taken, units: number): boolean {
    const limit = this.#limitOf(provider);
    return limit === null || taken.units === 0 || taken.units + units <= limit;
  }

  #take(provider: string, taken: Taken, units: number, keyId: string): () => void {
    const line = lineOf(taken, keyId);
    // Its turn is over: it goes behind the others.
    taken.lines.delete(keyId);
    taken.lines.set(keyId, line);
    taken.units += units;
    line.units += units;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      taken.units -= units;
      line.units -= units;
      forget(taken, keyId);
      this.#grant(provider, taken);
    };
  }

  #grant(provider: string, taken: Taken): void {
    while (taken.waiting > 0) {
      const next = nextOf(taken);
      if (next === null || !this.#fits(provider, taken, next.waiting.units)) return;
      const { keyId, waiting } = next;
      const release = this.#take(provider, taken, waiting.units, keyId);
      leave(taken, keyId, waiting);
      waiting.granted(release);
    }
  }
}

function nextOf({ lines }: Taken): { readonly keyId: string; readonly waiting: Waiting } | null {
  let best: { keyId: string; waiting: Waiting; units: number } | null = null;
  for (const [keyId, { units, waiting }] of lines) {
    const [first] = waiting;
    if (first !== undefined && (best === null || units < best.units))
      best = { keyId, waiting: first, units };
  }
  return best;
}

function lineOf({ lines }: Taken, keyId: string): Line {
  let line = lines.get(keyId);
  if (line === undefined) {
    line = { units: 0, waiting: new Set() };
    lines.set(keyId, line);
  }
  return line;
}

/** False when it does not wait any more. */
function leave(taken: Taken, keyId: string, waiting: Waiting): boolean {
  if (taken.lines.get(keyId)?.waiting.delete(waiting) !== true) return false;
  taken.waiting -= 1;
  forget(taken, keyId);
  return true;
}

function forget({ lines }: Taken, keyId: string): void {
  const line = lines.get(keyId);
  if (line?.units === 0 && line.waiting.size === 0) lines.delete(keyId);
}

function nothing(): void {
  // There was nothing to take.
}
