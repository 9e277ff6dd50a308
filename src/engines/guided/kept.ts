/** What took work to make, the last that were used: as many as may be, and no more work than may be in all. */
export class Kept<Value> {
  readonly #most: number;
  readonly #mostWork: number;
  /** The one that was used last comes last. */
  readonly #kept = new Map<string, { readonly value: Value; readonly work: number }>();
  #work = 0;

  constructor(most: number, mostWork: number) {
    this.#most = most;
    this.#mostWork = mostWork;
  }

  /** The one of that name; what `make` makes, and what it took, where there is none. */
  get(name: string, make: () => { readonly value: Value; readonly work: number }): Value {
    const known = this.#kept.get(name);
    const found = known ?? make();
    if (known === undefined) this.#work += found.work;
    this.#kept.delete(name);
    this.#kept.set(name, found);
    for (const [oldest, { work }] of this.#kept) {
      if (this.#kept.size <= this.#most && this.#work <= this.#mostWork) break;
      this.#kept.delete(oldest);
      this.#work -= work;
    }
    return found.value;
  }
}
