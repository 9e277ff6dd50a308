import { SpecError } from "./spec-error.ts";

/** Steps that making one guide may take: with it, what takes long is refused instead. */
const MOST_WORK = 150_000;

/** Counts what is done for one request's guides, all their parts together. */
export class Work {
  readonly #most: number;
  #left: number;

  /** @param times of what a request may take */
  constructor(times = 1) {
    this.#most = times * MOST_WORK;
    this.#left = this.#most;
  }

  /** Steps that were taken so far. */
  get spent(): number {
    return this.#most - this.#left;
  }

  /** @throws SpecError when it is too much */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0)
      throw new SpecError(
        `This is too complex: it takes more than ${this.#most} steps to prepare. Smaller counts in regular expressions and a smaller schema take less.`,
      );
  }
}
