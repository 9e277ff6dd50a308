/**
 * A stream that is written to from one side and read from the other in groups: one read takes all
 * there is. A failure is seen only after what came before it; an abort (`fail(…, true)`) at once.
 */
export class GroupStream<Item> implements AsyncIterableIterator<readonly Item[]> {
  #items: Item[] = [];
  #end: { error: unknown } | "done" | null = null;
  #wake: (() => void) | null = null;
  readonly #onReturn: () => void;

  /** `onReturn` is called when the reader stops before the end. */
  constructor(onReturn: () => void) {
    this.#onReturn = onReturn;
  }

  push(item: Item): void {
    if (this.#end !== null) return;
    this.#items.push(item);
    this.#notify();
  }

  close(): void {
    this.#end ??= "done";
    this.#notify();
  }

  /** With `now`, items that nobody has read yet are forgotten. */
  fail(error: unknown, now = false): void {
    if (this.#end !== null) return;
    this.#end = { error };
    if (now) this.#items = [];
    this.#notify();
  }

  async next(): Promise<IteratorResult<readonly Item[], undefined>> {
    while (this.#items.length === 0) {
      if (this.#end === "done") return { done: true, value: undefined };
      if (this.#end !== null) {
        const { error } = this.#end;
        this.#end = "done";
        throw error;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const value = this.#items;
    this.#items = [];
    return { done: false, value };
  }

  async return(): Promise<IteratorResult<readonly Item[], undefined>> {
    const early = this.#end === null;
    this.#items = [];
    this.close();
    if (early) this.#onReturn();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
