import type { ScoredToken } from "./protocol.ts";

/** A token's score, and where its text is in the answer's, in UTF-16 units. */
interface Waiting {
  readonly score: ScoredToken;
  readonly start: number;
  readonly end: number;
  readonly thinking: boolean;
}

/**
 * Keeps the scores of an answer's tokens until it is known what their text is: those of a stop string are
 * never told, nor those of thinking that isn't shown.
 */
export class ToldScores {
  readonly #showsThinking: boolean;
  #read = 0;
  #waiting: Waiting[] = [];

  constructor(showsThinking: boolean) {
    this.#showsThinking = showsThinking;
  }

  /** More of the answer's text, and the tokens that it ends with. `thinking`: it goes on inside of that. */
  add(text: string, scores: readonly ScoredToken[], thinking: boolean): void {
    const end = this.#read + text.length;
    scores.forEach((score, index) => {
      const start = this.#read;
      const length = score.shown ? score.text.length : 0;
      this.#read = index === scores.length - 1 ? end : Math.min(end, start + length);
      this.#waiting.push({ score, start, end: this.#read, thinking });
    });
    this.#read = end;
  }

  /** Those of the text up to a place. `thinking`: what was not known yet belongs to that. */
  upTo(settled: number, thinking: boolean): ScoredToken[] {
    const first = this.#waiting.findIndex(({ end }) => end > settled);
    return this.#take(first === -1 ? this.#waiting.length : first, thinking);
  }

  /** Those of the tokens that begin before the place where the answer ends, and no more. */
  ended(end: number, thinking: boolean): ScoredToken[] {
    const told = this.#take(this.#waiting.filter(({ start }) => start < end).length, thinking);
    this.#waiting = [];
    return told;
  }

  #take(count: number, thinking: boolean): ScoredToken[] {
    return this.#waiting
      .splice(0, count)
      .filter((waiting) => this.#showsThinking || !(thinking || waiting.thinking))
      .map(({ score }) => score);
  }
}
