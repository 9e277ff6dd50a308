/** Work that may go on for so long before others get a turn, in milliseconds. */
const TURN_MS = 20;

/**
 * Does long work on the one thread piece by piece, so that answers go on meanwhile. However much is
 * to be done, the event loop gets round after each piece.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  readonly #now: () => number;
  readonly #turnMs: number;
  /** Milliseconds that all work together took in this round of the event loop. */
  #spent = 0;

  /** @param turnMs after so much work of a round the rest waits for the next */
  constructor(now: () => number = () => performance.now(), turnMs = TURN_MS) {
    this.#now = now;
    this.#turnMs = turnMs;
  }

  /**
   * Runs `work` to its end; null when nobody wants it any more. What it yields are the places where
   * others may have a turn.
   */
  async run<Result>(
    work: Iterator<void, Result, void>,
    wanted: () => boolean,
  ): Promise<Result | null> {
    while (true) {
      if (this.#spent >= this.#turnMs) {
        await this.#turn();
        if (!wanted()) return null;
      }
      const began = this.#now();
      try {
        const step = work.next();
        if (step.done) return step.value;
      } finally {
        this.#took(this.#now() - began);
      }
    }
  }

  #took(milliseconds: number): void {
    const first = this.#spent === 0;
    this.#spent += milliseconds;
    if (!first || this.#spent === 0) return;
    setImmediate(() => {
      this.#spent = 0;
    });
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(() => this.#next());
    });
  }

  /** One of those that wait a round of the event loop, so that many take no longer than one. */
  #next(): void {
    const resolve = this.#waiting.shift();
    if (this.#waiting.length > 0) setImmediate(() => this.#next());
    this.#spent = 0;
    resolve?.();
  }
}
