import { SpecError } from "./spec-error.ts";

/** Steps that making one guide may take: with it, what takes long is refused instead. */
const MOST_WORK = 150_000;
/** Steps of one try of what can be left out, and of all such tries that failed. */
const MOST_TRY = 30_000;
const MOST_TRIES = 2 * MOST_TRY;

/** The time that there was for it is over: nothing is known of what it was spent on. */
export class NotNow extends Error {
  override readonly name = "NotNow";
}

/** Counts what is done for one request's guides, all their parts together. */
export class Work {
  readonly #most: number;
  readonly #isLate: () => boolean;
  #left: number;
  #leftToTry = MOST_TRIES;

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

  /**
   * What `make` makes of work that can be left undone. It has steps of its own, and only where something was made
   * of them do they count as the request's: null where nothing was, or a SpecError was thrown, as when they are spent.
   * @throws SpecError, NotNow
   */
  tried<Made>(make: (work: Work) => Made | null): Made | null {
    const own = new Work(Math.min(MOST_TRY, this.#leftToTry) / MOST_WORK, this.#isLate);
    const made = madeOf(own, make);
    if (made === null) this.#leftToTry = Math.max(0, this.#leftToTry - own.spent);
    else this.spend(own.spent);
    return made;
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

function madeOf<Made>(work: Work, make: (work: Work) => Made | null): Made | null {
  try {
    return make(work);
  } catch (error) {
    if (error instanceof SpecError) return null;
    throw error;
  }
}
