/** How long a key rests when nobody says: after its n-th refusal for a rate in a row, in milliseconds. */
const FIRST_REST_MS = 5000;
const LONGEST_REST_MS = 300_000;
/** After a refusal that only an operator can mend. */
const REFUSED_REST_MS = 300_000;
/** Models for which a key must be refused before it is held to be bad. */
const DOUBTS = 3;
/** Rests that are remembered for one key: more models than anyone uses at once. */
const MAX_RESTS = 1000;

interface Rest {
  until: number;
  /** Refusals in a row. */
  strikes: number;
}

/** The rest that is about every model. */
const ALL = "";

/**
 * Which of a provider's keys is next. They take turns; one that was refused rests, for the model that
 * was asked or for all, and nobody is given it meanwhile. Knows keys by their place, never their text.
 * Times are milliseconds of one clock.
 */
export class KeyRing {
  readonly #rests: Map<string, Rest>[];
  /** Models that a key was refused for since it last worked, where that spoke of the key itself. */
  readonly #doubts: Set<string>[];
  #next = 0;

  constructor(size: number) {
    this.#rests = Array.from({ length: size }, () => new Map());
    this.#doubts = Array.from({ length: size }, () => new Set());
  }

  /** The next key that does not rest for this model; null when all do. */
  take(model: string, now: number): number | null {
    const size = this.#rests.length;
    for (let step = 0; step < size; step++) {
      const index = (this.#next + step) % size;
      if (this.#until(index, model) > now) continue;
      this.#next = (index + 1) % size;
      return index;
    }
    return null;
  }

  /** When the first key is usable for this model again; null when one is. */
  until(model: string, now: number): number | null {
    let first = Number.POSITIVE_INFINITY;
    for (let index = 0; index < this.#rests.length; index++) {
      const until = this.#until(index, model);
      if (until <= now) return null;
      first = Math.min(first, until);
    }
    return Number.isFinite(first) ? first : null;
  }

  /** Whether this key rests for this model. */
  rests(index: number, model: string, now: number): boolean {
    return this.#until(index, model) > now;
  }

  /** How many keys rest for some model. */
  resting(now: number): number {
    return this.#rests.filter((rests) => [...rests.values()].some(({ until }) => until > now))
      .length;
  }

  /** This key met a limit: it rests for the time that was told, or for longer each time. */
  limited(index: number, model: string, toldMs: number | null, now: number): number {
    const before = this.#rests[index]?.get(model);
    // Calls that were on their way when it came to rest met the same limit once more.
    const again = before !== undefined && before.until > now;
    const strikes = (before?.strikes ?? 0) + (again ? 0 : 1);
    const grown = Math.min(FIRST_REST_MS * 2 ** Math.min(strikes - 1, 10), LONGEST_REST_MS);
    return this.#rest(index, model, now, { until: now + (toldMs ?? grown), strikes });
  }

  /**
   * This key was refused for this model. `whole`: what was said is about the key itself; when that
   * happens with a third model, and none worked in between, it rests for all of them.
   */
  refused(index: number, model: string, whole: boolean, now: number): number {
    const doubts = this.#doubts[index];
    if (whole) doubts?.add(model);
    const name = whole && doubts !== undefined && doubts.size >= DOUBTS ? ALL : model;
    return this.#rest(index, name, now, { until: now + REFUSED_REST_MS, strikes: 1 });
  }

  /** This key did its work: the next limit is a first one again. A rest that still runs goes on. */
  worked(index: number, model: string, now: number): void {
    const rests = this.#rests[index];
    if (rests === undefined || rests.size === 0) return;
    this.#doubts[index]?.clear();
    const rest = rests.get(model);
    if (rest !== undefined && rest.until <= now) rests.delete(model);
  }

  #until(index: number, model: string): number {
    const rests = this.#rests[index];
    if (rests === undefined || rests.size === 0) return 0;
    return Math.max(rests.get(ALL)?.until ?? 0, rests.get(model)?.until ?? 0);
  }

  #rest(index: number, name: string, now: number, rest: Rest): number {
    const rests = this.#rests[index];
    if (rests === undefined) return rest.until;
    if (rests.size >= MAX_RESTS) {
      for (const [known, { until }] of rests) if (until <= now) rests.delete(known);
      const [oldest] = rests.keys();
      if (rests.size >= MAX_RESTS && oldest !== undefined) rests.delete(oldest);
    }
    // A late answer of a call from before must not shorten it.
    const until = Math.max(rest.until, rests.get(name)?.until ?? 0);
    rests.set(name, { until, strikes: rest.strikes });
    return until;
  }
}
