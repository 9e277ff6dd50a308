const TARGET_MS = 450;
/** Where no answer waits meanwhile: large chunks take half as long a token as small ones. */
const UNWAITED_TARGET_MS = 1_350;
const FIRST_CHUNK = 32;
const SMALLEST_CHUNK = 16;
/** Kernels work on groups of 8 tokens; whole groups are the quickest. */
const GROUP = 8;
const WEIGHT_OF_LAST = 0.5;

/**
 * How many tokens of prompts to evaluate at once, so that it takes about 450 ms on this machine: the
 * other answers wait for it. Where there are none it may take three times as long, which is what a
 * cancellation and the next request wait.
 */
export class PrefillPace {
  readonly #largest: number;
  #tokensPerMs: number | null = null;

  constructor(largestChunk: number) {
    this.#largest = Math.max(SMALLEST_CHUNK, Math.floor(largestChunk / GROUP) * GROUP);
  }

  /** Tokens for the next chunk, a multiple of 8. `waited`: other answers wait for their next token. */
  chunk(waited: boolean): number {
    if (this.#tokensPerMs === null) return Math.min(FIRST_CHUNK, this.#largest);
    const target = waited ? TARGET_MS : UNWAITED_TARGET_MS;
    const fitting = Math.floor((this.#tokensPerMs * target) / GROUP) * GROUP;
    return Math.min(this.#largest, Math.max(SMALLEST_CHUNK, fitting));
  }

  /** Chunks of `tokens` took `ms`. Those too small to tell anything are left out. */
  observe(tokens: number, ms: number): void {
    if (tokens < SMALLEST_CHUNK || ms <= 0) return;
    const speed = tokens / ms;
    this.#tokensPerMs =
      this.#tokensPerMs === null
        ? speed
        : this.#tokensPerMs + WEIGHT_OF_LAST * (speed - this.#tokensPerMs);
  }
}

/**
 * Tokens of a reproducible prompt to evaluate next. Measured on llama.cpp's CPU kernels: a token's
 * state comes out bit for bit the same in whatever chunk it was evaluated, as long as every chunk
 * but the last is whole groups of 8, the last holds a whole group besides its rest, and all are
 * shorter than 64 (from there on attention goes another way). Elsewhere it does no harm.
 */
export function reproducibleChunk(wanted: number, left: number): number {
  if (left < ATTENTION_TILE && left <= wanted + GROUP) return left;
  const groups = Math.floor(Math.min(wanted, ATTENTION_TILE - GROUP, left - GROUP - 1) / GROUP);
  return Math.max(GROUP, groups * GROUP);
}

const ATTENTION_TILE = 64;

/** Tokens from the beginning whose state every reproducible prompt has that begins with these `evaluated`. */
export function reproducibleUpTo(evaluated: number): number {
  return Math.floor(evaluated / GROUP) * GROUP;
}

/** The most tokens of a reproducible prompt that may be there already: its last chunk is more than a group. */
export function reproducibleStart(prompt: number): number {
  return Math.max(0, reproducibleUpTo(prompt - GROUP - 1));
}
