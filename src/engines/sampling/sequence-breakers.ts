import type { SamplerHistory } from "./seen-tokens.ts";

/** Longer breakers are cut to this many bytes, as llama.cpp does. */
const LONGEST_BREAKER = 40;

/**
 * Where DRY's sequences end: at the texts a caller names, found in the text that the tokens spell. One
 * serves one answer; each of its tokens is looked at once.
 */
export class SequenceBreakers {
  readonly #breakers: readonly string[];
  readonly #bytes: (token: number) => Uint8Array;
  readonly #texts = new Map<number, string>();
  readonly #within = new Map<number, boolean>();
  readonly #longest: number;
  /** Tokens of prompt and answer that were looked at, and how many of them follow the last breaker. */
  #seen = 0;
  #after = 0;
  /** The end of their text: what a breaker that goes on may have begun in. */
  #tail = "";

  /** `bytes` are those a token adds to a text. */
  constructor(breakers: readonly string[], bytes: (token: number) => Uint8Array) {
    const cut = breakers.map((breaker) =>
      oneCharacterAByte(new TextEncoder().encode(breaker)).slice(0, LONGEST_BREAKER),
    );
    this.#breakers = [...new Set(cut)].filter((breaker) => breaker !== "");
    this.#bytes = bytes;
    this.#longest = Math.max(0, ...this.#breakers.map(({ length }) => length));
  }

  /** Whether a token holds a whole breaker. */
  readonly within = (token: number): boolean => {
    const known = this.#within.get(token);
    if (known !== undefined) return known;
    const text = this.#text(token);
    const found = this.#breakers.some((breaker) => text.includes(breaker));
    this.#within.set(token, found);
    return found;
  };

  /** How many tokens follow the one in which the last breaker ends; all of them where there is none. */
  tokensAfter({ prompt, generated }: SamplerHistory): number {
    const total = prompt.length + generated.length;
    const more =
      this.#seen < prompt.length
        ? [...prompt.slice(this.#seen), ...generated]
        : generated.slice(this.#seen - prompt.length);
    this.#seen = total;
    if (this.#breakers.length === 0) return total;
    const text = this.#tail + more.map((token) => this.#text(token)).join("");
    const ends = this.#breakers.map((breaker) => endOfLast(text, breaker));
    const beyond = text.length - Math.max(...ends);
    // One that ends in the tail was found when that came.
    const isNew = beyond < text.length - this.#tail.length;
    this.#after = isNew ? this.#tokensOf(more, beyond) : this.#after + more.length;
    this.#tail = text.slice(Math.max(0, text.length - this.#longest + 1));
    return this.#after;
  }

  /** How many tokens at the end lie in the last `length` bytes. */
  #tokensOf(tokens: readonly number[], length: number): number {
    let left = length;
    let count = 0;
    for (; count < tokens.length; count++) {
      left -= this.#text(tokens[tokens.length - 1 - count] ?? 0).length;
      if (left < 0) return count;
    }
    return count;
  }

  #text(token: number): string {
    const known = this.#texts.get(token);
    if (known !== undefined) return known;
    const text = oneCharacterAByte(this.#bytes(token));
    this.#texts.set(token, text);
    return text;
  }
}

/** Where the last place of a breaker in a text ends, 0 where it has none. */
function endOfLast(text: string, breaker: string): number {
  const at = text.lastIndexOf(breaker);
  return at === -1 ? 0 : at + breaker.length;
}

/** Bytes as text of the same length, so that half a character can be compared too. */
function oneCharacterAByte(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
