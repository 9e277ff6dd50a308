import type { ScoredToken } from "../protocol.ts";

/** A token's score, and where its bytes are in the text. */
interface Waiting {
  readonly score: ScoredToken;
  readonly start: number;
  readonly end: number;
}

/**
 * Keeps tokens' scores until their text goes out, so that a piece of an answer carries the scores of
 * the tokens it is made of: text that may become a stop string is held back, and its tokens with it.
 * Those of a stop string itself are never told.
 */
export class ScoredText {
  #made = 0;
  #shown = 0;
  #waiting: Waiting[] = [];

  /** A token of so many bytes was sampled. */
  add(score: ScoredToken, bytes: number): void {
    const start = this.#made;
    this.#made += bytes;
    this.#waiting.push({ score, start, end: this.#made });
  }

  /** The scores of all tokens whose text is out now that `text` is. */
  shown(text: string): ScoredToken[] {
    this.#shown += Buffer.byteLength(text);
    const first = this.#waiting.findIndex(({ end }) => end > this.#shown);
    return this.#take(first === -1 ? this.#waiting.length : first);
  }

  /** The answer has ended: also those of tokens that only a part of was shown, or half a character. */
  ended(stopped: boolean): ScoredToken[] {
    if (!stopped) return this.#take(this.#waiting.length);
    const parts = this.#waiting.filter(({ start }) => start < this.#shown);
    return this.#take(parts.length);
  }

  #take(count: number): ScoredToken[] {
    return this.#waiting.splice(0, count).map(({ score }) => score);
  }
}
