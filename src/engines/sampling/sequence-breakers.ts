/** Longer breakers are cut to this many bytes, as llama.cpp does. */
const LONGEST_BREAKER = 40;

/** Where DRY's sequences end: at the texts a caller names, found in the text that the tokens spell. */
export class SequenceBreakers {
  readonly #breakers: readonly string[];
  readonly #bytes: (token: number) => Uint8Array;
  readonly #texts = new Map<number, string>();
  readonly #longest: number;

  /** `bytes` are those a token adds to a text. */
  constructor(breakers: readonly string[], bytes: (token: number) => Uint8Array) {
    this.#breakers = breakers
      .filter((breaker) => breaker !== "")
      .map((breaker) => oneCharacterAByte(new TextEncoder().encode(breaker)))
      .map((breaker) => breaker.slice(0, LONGEST_BREAKER));
    this.#bytes = bytes;
    this.#longest = Math.max(0, ...this.#breakers.map(({ length }) => length));
  }

  /** Whether a token holds a whole breaker. */
  readonly within = (token: number): boolean => {
    const text = this.#text(token);
    return this.#breakers.some((breaker) => text.includes(breaker));
  };

  /** How many tokens follow the one in which the last breaker ends; all of them where there is none. */
  tokensAfter(tokens: readonly number[]): number {
    if (this.#breakers.length === 0) return tokens.length;
    // What a breaker may reach into: enough of the text after each token, looked at from its end.
    let after = "";
    for (let count = 0; count < tokens.length; count++) {
      const text = this.#text(tokens[tokens.length - 1 - count] ?? 0);
      const seen = text + after;
      const begins = this.#breakers
        .map((breaker) => ({ at: seen.lastIndexOf(breaker, text.length - 1), breaker }))
        .filter(({ at }) => at >= 0 && text.length > 0);
      if (begins.length > 0) {
        const end = Math.max(...begins.map(({ at, breaker }) => at + breaker.length));
        return this.#tokensBeyond(tokens, count, end - text.length);
      }
      after = seen.slice(0, this.#longest);
    }
    return tokens.length;
  }

  /** Of the last `count` tokens, those that are left when the first ones have made up `length` bytes. */
  #tokensBeyond(tokens: readonly number[], count: number, length: number): number {
    let left = length;
    let beyond = count;
    while (left > 0 && beyond > 0) {
      left -= this.#text(tokens[tokens.length - beyond] ?? 0).length;
      beyond--;
    }
    return beyond;
  }

  #text(token: number): string {
    const known = this.#texts.get(token);
    if (known !== undefined) return known;
    const text = oneCharacterAByte(this.#bytes(token));
    this.#texts.set(token, text);
    return text;
  }
}

/** Bytes as text of the same length, so that half a character can be compared too. */
function oneCharacterAByte(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
