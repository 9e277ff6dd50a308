import type { EventBody } from "../gateway/answer.ts";

const encoder = new TextEncoder();

interface Open {
  /** The comment, as bytes. */
  readonly sign: Uint8Array;
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** When the last byte was handed over, on the `performance.now()` clock. */
  lastByteAt: number;
}

/**
 * Keeps quiet streams alive: one timer for all of them writes a comment to each that has sent
 * nothing for `intervalMs`, so that no proxy between us and the client takes it for dead.
 */
export class KeepAlive {
  readonly #intervalMs: number;
  readonly #open = new Set<Open>();
  #timer: Timer | null = null;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /**
   * A pull stream over an answer's events: nothing is asked of the source until the client has
   * taken what was written, so a slow reader slows its own upstream and fills no buffer.
   * `ended` is called with the last piece handed over.
   */
  stream(events: EventBody, ended: () => void): ReadableStream<Uint8Array> {
    let open: Open | null = null;
    const closed = (): void => {
      if (open !== null) this.#remove(open);
    };
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          open = this.#add(controller, encoder.encode(events.keepAlive));
        },
        pull: async (controller) => {
          const text = await events.next();
          if (text === null) {
            closed();
            ended();
            controller.close();
            return;
          }
          if (open !== null) open.lastByteAt = performance.now();
          controller.enqueue(encoder.encode(text));
        },
        cancel: () => {
          closed();
          events.cancel();
        },
      },
      { highWaterMark: 1 },
    );
  }

  #add(controller: ReadableStreamDefaultController<Uint8Array>, sign: Uint8Array): Open {
    const open = { controller, sign, lastByteAt: performance.now() };
    this.#open.add(open);
    this.#timer ??= setInterval(() => this.#beat(), Math.max(10, this.#intervalMs / 5));
    return open;
  }

  #remove(open: Open): void {
    this.#open.delete(open);
    if (this.#open.size === 0 && this.#timer !== null) {
      clearInterval(this.#timer);
      this.#timer = null;
    }
  }

  #beat(): void {
    const now = performance.now();
    for (const open of this.#open) {
      if (now - open.lastByteAt < this.#intervalMs) continue;
      open.lastByteAt = now;
      // A client that has not taken the last piece needs no sign of life, and gets no buffer.
      if ((open.controller.desiredSize ?? 0) > 0) open.controller.enqueue(open.sign);
    }
  }
}
