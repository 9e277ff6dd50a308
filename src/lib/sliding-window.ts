/**
 * At most `limit` grants in any span of `windowMs`, exactly: every grant's time is kept until it
 * leaves the window. Memory is `limit` numbers, allocated as they are needed.
 */
export class SlidingWindow {
  readonly limit: number;
  readonly windowMs: number;
  /** A ring of grant times, oldest at `head`. */
  #times: number[] = [];
  #head = 0;
  #size = 0;

  constructor(limit: number, windowMs: number) {
    this.limit = limit;
    this.windowMs = windowMs;
  }

  /** Takes one grant. Returns 0, or the milliseconds until one is free. `now` must not go back. */
  take(now: number): number {
    this.#expire(now);
    if (this.#size >= this.limit) return this.#oldest() + this.windowMs - now;
    this.#times[(this.#head + this.#size) % this.limit] = now;
    this.#size += 1;
    return 0;
  }

  remaining(now: number): number {
    this.#expire(now);
    return this.limit - this.#size;
  }

  /** Milliseconds until the whole limit is free again; 0 if it is. */
  resetIn(now: number): number {
    this.#expire(now);
    if (this.#size === 0) return 0;
    const newest = this.#times[(this.#head + this.#size - 1) % this.limit] ?? now;
    return newest + this.windowMs - now;
  }

  #oldest(): number {
    return this.#times[this.#head] ?? 0;
  }

  #expire(now: number): void {
    while (this.#size > 0 && this.#oldest() + this.windowMs <= now) {
      this.#head = (this.#head + 1) % this.limit;
      this.#size -= 1;
    }
  }
}
