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

/** Tokens, or places of the tree, between two yields: about a millisecond. */
const SLICE = 1_000;

/**
 * Lays a vocabulary out. Every yield is a place where other work may be done: 150,000 tokens take some
 * tenths of a second.
 * @param tokens the bytes of each token; one without any, such as a control token, never comes
 * @param ends the tokens that end an answer; they never stand for text
 */
export function* layOut(
  tokens: readonly Uint8Array[],
  ends: readonly number[],
): Generator<void, GuidedVocabulary, void> {
  const words = new Uint32Array(Math.ceil(tokens.length / 32));
  const all = new TrieBuilder();
  const special = new TrieBuilder();
  const lengths: Uint32Array[] = [words];
  let done = 0;
  for (const entries of yield* inOrder(tokens, new Set(ends))) {
    for (const entry of entries) {
      const plain = plainLength(entry.bytes);
      all.add(entry);
      if (plain === null) special.add(entry);
      else {
        while (lengths.length <= plain) lengths.push(words.slice());
        setBit(lengths[plain] ?? words, entry.token);
      }
      done += 1;
      if (done % SLICE === 0) yield;
    }
  }
  yield;
  for (let most = 1; most < lengths.length; most++) {
    const shorter = lengths[most - 1] ?? words;
    lengths[most]?.forEach((word, at, mask) => {
      mask[at] = word | (shorter[at] ?? 0);
    });
    yield;
  }
  return {
    size: tokens.length,
    bytes: (token) => tokens[token] ?? new Uint8Array(),
    ends,
    all: yield* all.trie(),
    special: yield* special.trie(),
    plain: lengths,
  };
}

/** The same in one go. */
export function vocabularyOf(
  tokens: readonly Uint8Array[],
  ends: readonly number[],
): GuidedVocabulary {
  const work = layOut(tokens, ends);
  for (let step = work.next(); ; step = work.next()) if (step.done) return step.value;
}

export function setBit(mask: Uint32Array, token: number): void {
  const word = token >> 5;
  mask[word] = (mask[word] ?? 0) | (1 << (token & 31));
}

interface Entry {
  readonly token: number;
  readonly bytes: Uint8Array;
  /** A byte a character. */
  readonly text: string;
}

/** By their texts; together are those that begin with the same two bytes, so that none is long to sort. */
function* inOrder(
  tokens: readonly Uint8Array[],
  left: ReadonlySet<number>,
): Generator<void, Iterable<readonly Entry[]>, void> {
  const groups: Entry[][] = [];
  for (const [token, bytes] of tokens.entries()) {
    if (token % SLICE === 0) yield;
    const [first, second = -1] = bytes;
    if (first === undefined || left.has(token)) continue;
    const group = first * 257 + second + 1;
    const entry = { token, bytes, text: latin1(bytes) };
    const same = groups[group];
    if (same === undefined) groups[group] = [entry];
    else same.push(entry);
  }
  return sorted(groups);
}

function* sorted(groups: readonly Entry[][]): Generator<readonly Entry[], void, void> {
  for (const group of groups)
    if (group !== undefined)
      yield group.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
}

class TrieBuilder {
  readonly #byte: number[] = [];
  readonly #depth: number[] = [];
  readonly #end: number[] = [];
  readonly #from: number[] = [];
  readonly #tokens: number[] = [];
  /** The nodes of the last text. */
  readonly #path: number[] = [];
  #before = "";

  /** In order of their texts. */
  add({ token, text }: Entry): void {
    const before = this.#before;
    let common = 0;
    while (common < before.length && before[common] === text[common]) common += 1;
    this.#close(common);
    for (let at = common; at < text.length; at++) {
      this.#path.push(this.#byte.length);
      this.#byte.push(text.charCodeAt(at));
      this.#depth.push(at);
      this.#end.push(0);
      this.#from.push(this.#tokens.length);
    }
    this.#tokens.push(token);
    this.#before = text;
  }

  *trie(): Generator<void, TokenTrie, void> {
    this.#close(0);
    this.#from.push(this.#tokens.length);
    const byte = Uint8Array.from(this.#byte);
    yield;
    const depth = Uint16Array.from(this.#depth);
    yield;
    const end = Int32Array.from(this.#end);
    yield;
    const from = Int32Array.from(this.#from);
    yield;
    const tokens = Int32Array.from(this.#tokens);
    return { size: byte.length, byte, depth, end, from, tokens };
  }

  #close(depth: number): void {
    for (const node of this.#path.splice(depth)) this.#end[node] = this.#byte.length;
  }
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
