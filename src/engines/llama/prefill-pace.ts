const TARGET_MS = 450;
const FIRST_CHUNK = 32;
const SMALLEST_CHUNK = 16;
const WEIGHT_OF_LAST = 0.5;

/**
 * How many tokens of a prompt to evaluate in one step, so that the step takes about 450 ms on this
 * machine: the other answers wait for it, and so does a cancellation.
 */
export class PrefillPace {
  readonly #largest: number;
  #tokensPerMs: number | null = null;

  constructor(largestChunk: number) {
    this.#largest = Math.max(SMALLEST_CHUNK, largestChunk);
  }

  /** Tokens for the next chunk while `others` more sequences get a token each in the same step. */
  chunk(others: number): number {
    if (this.#tokensPerMs === null) return Math.min(FIRST_CHUNK, this.#largest);
    const fitting = Math.floor(this.#tokensPerMs * TARGET_MS) - others;
    return Math.min(this.#largest, Math.max(SMALLEST_CHUNK, fitting));
  }

  /** A step with `tokens` in it took `ms`. Steps too small to tell anything are left out. */
  observe(tokens: number, ms: number): void {
    if (tokens < SMALLEST_CHUNK || ms <= 0) return;
    const speed = tokens / ms;
    this.#tokensPerMs =
      this.#tokensPerMs === null
        ? speed
        : this.#tokensPerMs + WEIGHT_OF_LAST * (speed - this.#tokensPerMs);
  }
}
