/** Where a text may be cut so that the tokens of its slices are the tokens of the whole. */
export interface CutRules {
  /** Whether the vocabulary never joins two UTF-16 units that follow each other. */
  readonly apart: (before: number, after: number) => boolean;
  /** Texts that are found before anything else is done, and read as one token. */
  readonly specials: readonly string[];
  /** Those of them that swallow the spaces in front of them. */
  readonly swallowing: readonly string[];
}

const SLICE = 2 ** 13;
const LOW_SURROGATES = [0xdc00, 0xdfff] as const;

/**
 * Cuts texts into slices of about 8,192 characters where that is safe. llama.cpp's time for one text
 * grows with the square of the characters its vocabulary doesn't have, and of the special tokens.
 */
export class TextSlicer {
  readonly #apart: CutRules["apart"];
  readonly #insideSpecials = new Set<number>();
  readonly #byFirst = new Map<number, string[]>();
  readonly #byLast = new Map<number, string[]>();
  readonly #swallowing: ReadonlySet<string>;

  constructor({ apart, specials, swallowing }: CutRules) {
    this.#apart = apart;
    this.#swallowing = new Set(swallowing);
    for (const text of specials) {
      for (const pair of pairsOf(text)) this.#insideSpecials.add(pair);
      append(this.#byFirst, text.charCodeAt(0), text);
      append(this.#byLast, text.charCodeAt(text.length - 1), text);
    }
  }

  *slices(text: string): Generator<string, void, void> {
    let from = 0;
    for (let at = SLICE; at < text.length; at++) {
      if (!this.#cuts(text, at)) continue;
      yield text.slice(from, at);
      from = at;
      at += SLICE - 1;
    }
    if (from < text.length) yield text.slice(from);
  }

  /** Whether a special token's text begins here. */
  beginsSpecial(text: string, at: number): boolean {
    return this.#specialsAt(text, at).length > 0;
  }

  #specialsAt(text: string, at: number): string[] {
    const specials = this.#byFirst.get(text.charCodeAt(at)) ?? [];
    return specials.filter((special) => text.startsWith(special, at));
  }

  #cuts(text: string, at: number): boolean {
    const before = text.charCodeAt(at - 1);
    const after = text.charCodeAt(at);
    if (after >= LOW_SURROGATES[0] && after <= LOW_SURROGATES[1]) return false;
    if (this.#insideSpecials.has(pairKey(before, after))) return false;
    // Some special tokens swallow the spaces in front of them, and SentencePiece adds one behind them.
    const specials = this.#specialsAt(text, at);
    if (specials.length > 0) {
      return !isSpace(before) || !specials.some((special) => this.#swallowing.has(special));
    }
    return this.#apart(before, after) && !this.#endsSpecial(text, at);
  }

  #endsSpecial(text: string, at: number): boolean {
    const specials = this.#byLast.get(text.charCodeAt(at - 1)) ?? [];
    return specials.some((special) => text.endsWith(special, at));
  }
}

/** SentencePiece joins whatever makes a token, across words too: two units are apart if no token has them so. */
export function apartInSentencePiece(tokens: Iterable<string>): CutRules["apart"] {
  const joined = new Set<number>();
  for (const text of tokens) for (const pair of pairsOf(text)) joined.add(pair);
  const unit = (of: number) => (of === SPACE ? SPACE_MARK : of);
  return (before, after) => !joined.has(pairKey(unit(before), unit(after)));
}

/** Byte-level vocabularies cut texts into words first, and a word never ends with a space. */
export function apartInByteLevel(before: number, after: number): boolean {
  return isLetter(before) && after === SPACE;
}

const SPACE = 0x20;
const SPACE_MARK = 0x2581;

function isLetter(unit: number): boolean {
  const lower = unit | SPACE;
  return lower >= 0x61 && lower <= 0x7a;
}

function isSpace(unit: number): boolean {
  return unit === SPACE || (unit >= 0x09 && unit <= 0x0d);
}

function* pairsOf(text: string): Generator<number, void, void> {
  for (let at = 1; at < text.length; at++)
    yield pairKey(text.charCodeAt(at - 1), text.charCodeAt(at));
}

function pairKey(before: number, after: number): number {
  return before * 0x1_00_00 + after;
}

function append(map: Map<number, string[]>, key: number, text: string): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [text]);
  else known.push(text);
}
