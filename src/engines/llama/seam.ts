/** What a seam has to know of a vocabulary. */
export interface SeamVocabulary<Token extends number> {
  /** The bytes a token adds to a text; none for control tokens. */
  bytes(token: Token): Uint8Array;
  /** Tokens that have all of these bytes in front; with `shorter`, also those that have only the first of them. */
  beginnings(bytes: Uint8Array, shorter: boolean): readonly Token[];
}

/** Tokens that are made again at most; each takes a step of the engine. */
const MOST_TOKENS = 8;

/**
 * Where an answer goes on that was begun elsewhere. A text cut anywhere does not end where its
 * tokens did: read as tokens, `The capi` or `The ` make a model go on in another way than in the
 * middle of `The capital`. So the last word's tokens are taken back and made again, this time only
 * as the text has them: a token that has all of what is left and maybe more, or the next one that
 * was taken back. What the text had already is not given again. (Known as token healing.)
 *
 * Where the likeliest token is always taken, any token that fits is one that may come: then it is
 * the one that came the first time. Where tokens are drawn, that would now and then spell a rare
 * word in pieces that no text is read in.
 */
export class Seam<Token extends number> {
  /** How many of the beginning's tokens are taken back. */
  readonly taken: number;
  readonly #likeliest: boolean;
  readonly #vocabulary: SeamVocabulary<Token>;
  readonly #tokens: readonly Token[];
  /** Bytes that are still to be made again. */
  #left: Uint8Array;

  /** `begun`: the answer's tokens so far, of which the first `kept` have to stay. */
  constructor(
    begun: readonly Token[],
    kept: number,
    likeliest: boolean,
    vocabulary: SeamVocabulary<Token>,
  ) {
    this.taken = wordLength(begun.slice(kept), vocabulary);
    this.#likeliest = likeliest;
    this.#vocabulary = vocabulary;
    this.#tokens = begun.slice(begun.length - this.taken);
    this.#left = Buffer.concat(this.#tokens.map((token) => vocabulary.bytes(token)));
  }

  get open(): boolean {
    return this.#left.length > 0;
  }

  /** The tokens that may come next while the seam is open. */
  allowed(): ReadonlySet<Token> {
    const allowed = new Set(this.#vocabulary.beginnings(this.#left, this.#likeliest));
    let at = this.#left.length;
    // Where what is left begins with a token that was taken back, that one may come again.
    for (const token of this.#tokens.toReversed()) {
      at -= this.#vocabulary.bytes(token).length;
      if (at === 0) allowed.add(token);
    }
    return allowed;
  }

  /** What of a token's bytes is new. */
  take(bytes: Uint8Array): Uint8Array {
    const known = Math.min(bytes.length, this.#left.length);
    this.#left = this.#left.subarray(known);
    return bytes.subarray(known);
  }
}

/** Tokens of the last word, with the white space before it; at most `MOST_TOKENS`. */
function wordLength<Token extends number>(
  tokens: readonly Token[],
  vocabulary: SeamVocabulary<Token>,
): number {
  let length = 0;
  while (length < Math.min(tokens.length, MOST_TOKENS)) {
    const token = tokens[tokens.length - 1 - length];
    const first = token === undefined ? undefined : vocabulary.bytes(token)[0];
    // A marker stays: it can't be made again.
    if (first === undefined) break;
    length++;
    if (isSpace(first)) break;
  }
  return length;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}
