/** Long work that several may need: whoever needs it first begins it, and all of them do its next pieces. */
export class DoneOnce<Result> {
  readonly #begin: () => Iterator<void, Result, void>;
  #work: Iterator<void, Result, void> | null = null;
  #done: { readonly result: Result } | null = null;

  constructor(begin: () => Iterator<void, Result, void>) {
    this.#begin = begin;
  }

  /** Does what is left of it. One that is given up leaves the rest to the next; one that throws, all. */
  *result(): Generator<void, Result, void> {
    while (this.#done === null) {
      this.#work ??= this.#begin();
      try {
        const step = this.#work.next();
        if (step.done) this.#done = { result: step.value };
      } catch (error) {
        this.#work = null;
        throw error;
      }
      if (this.#done === null) yield;
    }
    return this.#done.result;
  }
}
