interface Count {
  /** When its span began, in the caller's milliseconds. */
  since: number;
  told: number;
  leftOut: number;
}

/** Bounds how often a thing is told: so many times in a span, the rest counted. One count for each name. */
export class LineBound {
  readonly #most: number;
  readonly #spanMs: number;
  readonly #counts = new Map<string, Count>();

  constructor(most: number, spanMs: number) {
    this.#most = most;
    this.#spanMs = spanMs;
  }

  /** Whether it may be told now. */
  may(name: string, now: number): boolean {
    let count = this.#counts.get(name);
    if (count === undefined) {
      count = { since: now, told: 0, leftOut: 0 };
      this.#counts.set(name, count);
    }
    if (count.told < this.#most) {
      count.told += 1;
      return true;
    }
    count.leftOut += 1;
    return false;
  }

  /** Ends the spans that are over, and gives how many were left out in them. */
  ended(now: number): [name: string, leftOut: number][] {
    const over: [string, number][] = [];
    for (const [name, { since, leftOut }] of this.#counts) {
      if (now - since < this.#spanMs) continue;
      this.#counts.delete(name);
      if (leftOut > 0) over.push([name, leftOut]);
    }
    return over;
  }
}
