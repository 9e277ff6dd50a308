import { GroupStream } from "../lib/group-stream.ts";

/** What a child was asked: its events as they come, and when it is done with it. */
export class Asked<Event> extends GroupStream<Event> {
  readonly #settled = Promise.withResolvers<void>();

  /**
   * Resolves when the child does nothing for it any more. Who leaves is let go at once, but what a child
   * is at when it hears of that may go on for seconds: a place at it is free only then. Never rejects.
   */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  settle(): void {
    this.#settled.resolve();
  }
}
