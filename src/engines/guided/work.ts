import { SpecError } from "./spec-error.ts";

/** Steps that making one guide may take: with it, what takes long is refused instead. */
const MOST_WORK = 150_000;

/** The time that there was for it is over: nothing is known of what it was spent on. */
export class NotNow extends Error {
  override readonly name = "NotNow";
}

/** Counts what is done for one request's guides, all their parts together. */
export class Work {
  readonly #most: number;
  readonly #isLate: () => boolean;
  #left: number;

  /**
   * @param times of what a request may take
   * @param isLate says that somebody else must do it: then spending throws `NotNow`
   */
  constructor(times = 1, isLate: () => boolean = () => false) {
    this.#most = times * MOST_WORK;
    this.#left = this.#most;
    this.#isLate = isLate;
  }

  /** Steps that were taken so far. */
  get spent(): number {
    return this.#most - this.#left;
  }

  /** @throws SpecError when it is too much; NotNow */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#isLate()) throw new NotNow();
    if (this.#left < 0)
      throw new SpecError(
        `This is too complex: it takes more than ${this.#most} steps to prepare. Smaller counts in regular expressions and a smaller schema take less.`,
      );
  }
}
