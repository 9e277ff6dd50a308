import { type CharRanges, meets, rangesOf } from "./char-ranges.ts";
import { piece } from "./characters.ts";

/** All tokens' bytes as a tree in the order of a walk; a node is an index into each of the lists. */
export interface TokenTrie {
  readonly size: number;
  readonly byte: Uint8Array;
  readonly depth: Uint16Array;
  /** The first node that is not below this one. */
  readonly end: Int32Array;
  /** Tokens that end at node n: `tokens` from `from[n]` up to `from[n + 1]`. */
  readonly from: Int32Array;
  readonly tokens: Int32Array;
  readonly deepest: number;
}

/** Tokens as the guides look at them. */
export interface GuidedVocabulary {
  readonly size: number;
  readonly bytes: (token: number) => Uint8Array;
  readonly ends: readonly number[];
  readonly all: TokenTrie;
  /** Those that are not plain throughout. */
  readonly special: TokenTrie;
  /** Masks of the plain tokens of at most so many characters; the last one has all of them. */
  readonly plain: readonly Uint32Array[];
}

/**
 * Characters that stand for themselves wherever any text may stand, also in a JSON string and where
 * a pattern says `.`: no control character, quote, backslash, or end of a line.
 */
export const PLAIN: CharRanges = rangesOf([
  [0x20, 0x21],
  [0x23, 0x5b],
  [0x5d, 0x7e],
  [0xa0, 0x2027],
  [0x202a, 0x10ffff],
]);

/** @param tokens the bytes of each token; those without any, and `ends`, never stand for text */
export function vocabularyOf(
  tokens: readonly Uint8Array[],
  ends: readonly number[],
): GuidedVocabulary {
  const words = new Uint32Array(Math.ceil(tokens.length / 32));
  const ending = new Set(ends);
  const byText = new Map<string, number[]>();
  for (const [token, bytes] of tokens.entries()) {
    if (bytes.length === 0 || ending.has(token)) continue;
    const text = latin1(bytes);
    const same = byText.get(text);
    if (same === undefined) byText.set(text, [token]);
    else same.push(token);
  }
  const entries = [...byText.keys()].sort().map((text) => {
    const same = byText.get(text) ?? [];
    return { tokens: same, text, plain: plainLength(tokens[same[0] ?? 0] ?? new Uint8Array()) };
  });
  const longest = entries.reduce((most, { plain }) => Math.max(most, plain ?? 0), 0);
  const plain = Array.from({ length: longest + 1 }, () => words.slice());
  for (const { tokens: same, plain: length } of entries)
    if (length !== null) for (const token of same) setBit(plain[length] ?? words, token);
  for (let most = 1; most <= longest; most++)
    for (let word = 0; word < words.length; word++)
      (plain[most] ?? words)[word] = (plain[most]?.[word] ?? 0) | (plain[most - 1]?.[word] ?? 0);
  return {
    size: tokens.length,
    bytes: (token) => tokens[token] ?? new Uint8Array(),
    ends,
    all: trieOf(entries),
    special: trieOf(entries.filter((entry) => entry.plain === null)),
    plain,
  };
}

export function setBit(mask: Uint32Array, token: number): void {
  const word = token >> 5;
  mask[word] = (mask[word] ?? 0) | (1 << (token & 31));
}

interface Entry {
  readonly tokens: readonly number[];
  /** A byte a character. */
  readonly text: string;
  /** Its characters, when all are plain and whole. */
  readonly plain: number | null;
}

/** @param entries in order of their text */
function trieOf(entries: readonly Entry[]): TokenTrie {
  const byte: number[] = [];
  const depth: number[] = [];
  const end: number[] = [];
  const from: number[] = [];
  const tokens: number[] = [];
  const path: number[] = [];
  let before = "";
  for (const { tokens: same, text } of entries) {
    let common = 0;
    while (common < before.length && before[common] === text[common]) common += 1;
    for (const node of path.splice(common)) end[node] = byte.length;
    for (let at = common; at < text.length; at++) {
      path.push(byte.length);
      byte.push(text.charCodeAt(at));
      depth.push(at);
      end.push(0);
      from.push(tokens.length);
    }
    for (const token of same) tokens.push(token);
    before = text;
  }
  for (const node of path) end[node] = byte.length;
  from.push(tokens.length);
  return {
    size: byte.length,
    byte: Uint8Array.from(byte),
    depth: Uint16Array.from(depth),
    end: Int32Array.from(end),
    from: Int32Array.from(from),
    tokens: Int32Array.from(tokens),
    deepest: depth.reduce((most, at) => Math.max(most, at + 1), 0),
  };
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** Characters, when all are plain and whole. */
function plainLength(bytes: Uint8Array): number | null {
  let pending = 0;
  let length = 0;
  for (const byte of bytes) {
    if (pending === 0 && byte < 0x7f) {
      if (byte < 0x20 || byte === 0x22 || byte === 0x5c) return null;
      length += 1;
      continue;
    }
    const next = piece(pending, byte, false);
    if (next === null) return null;
    if ("whole" in next) {
      if (!meets(PLAIN, next.whole, next.whole)) return null;
      length += 1;
      pending = 0;
    } else pending = next.pending;
  }
  return pending === 0 ? length : null;
}
