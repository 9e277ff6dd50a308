/** What was taken at one moment. The amount is corrected when the truth is known. */
export interface Grant {
  readonly at: number;
  amount: number;
}

/**
 * How much was taken in the last `windowMs`, exactly: each grant is kept until it leaves the window,
 * with its moment. The limit comes with each question, so that it can change. `now` must not go back.
 */
export class SlidingWindow {
  readonly windowMs: number;
  /** Oldest first, from `#head` on. */
  #grants: Grant[] = [];
  #head = 0;
  #sum = 0;

  constructor(windowMs: number) {
    this.windowMs = windowMs;
  }

  /**
   * Milliseconds until `amount` more fits below `limit` in every span of the window: 0 now, Infinity
   * never. What is given back meanwhile can make it less.
   */
  wait(now: number, amount: number, limit: number): number {
    this.#expire(now);
    let over = this.#sum + amount - limit;
    if (over <= 0) return 0;
    for (let index = this.#head; index < this.#grants.length; index++) {
      const grant = this.#grants[index];
      if (grant === undefined) break;
      over -= grant.amount;
      if (over <= 0) return grant.at + this.windowMs - now;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Takes so much, fitting or not: ask `wait` first. */
  take(now: number, amount: number): Grant {
    this.#expire(now);
    const grant = { at: now, amount };
    this.#grants.push(grant);
    this.#sum += amount;
    return grant;
  }

  /** From its own moment on the grant is one of so much. Of a grant that has left the window nothing is left to correct. */
  correct(now: number, grant: Grant, amount: number): void {
    this.#expire(now);
    if (grant.at + this.windowMs > now) this.#sum += amount - grant.amount;
    grant.amount = amount;
  }

  used(now: number): number {
    this.#expire(now);
    return this.#sum;
  }

  /** Milliseconds until nothing of what was taken is left in the window. */
  resetIn(now: number): number {
    this.#expire(now);
    const newest = this.#grants.at(-1);
    return newest === undefined ? 0 : newest.at + this.windowMs - now;
  }

  /** What is in the window, oldest first. */
  grants(now: number): readonly Grant[] {
    this.#expire(now);
    return this.#grants.slice(this.#head);
  }

  #expire(now: number): void {
    for (;;) {
      const oldest = this.#grants[this.#head];
      if (oldest === undefined || oldest.at + this.windowMs > now) break;
      this.#sum -= oldest.amount;
      this.#head += 1;
    }
    if (this.#head === this.#grants.length) {
      if (this.#head > 0) this.#grants = [];
      this.#head = 0;
    } else if (this.#head > 512 && this.#head * 2 > this.#grants.length) {
      this.#grants = this.#grants.slice(this.#head);
      this.#head = 0;
    }
  }
}
