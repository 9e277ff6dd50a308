import { guideBytes } from "../sealed.ts";
import { freshId, type Leaf, type LeafState, NOTHING, type Node } from "./node.ts";

/** A state's parts in one number: the words that begin with what was read, and how much that is. */
const WORDS = 2 ** 15;
const LENGTH = 2 ** 20;

export interface Word {
  /** A byte a character, so that the order is that of the bytes. */
  readonly bytes: string;
  readonly index: number;
}

/** One of several texts, found byte by byte in their order; what follows is said by the one that it was. */
class Words implements Leaf {
  readonly kind = "leaf";
  readonly id = freshId();
  readonly start: number;
  readonly cost = 1;
  readonly #words: readonly Word[];
  readonly #after: (word: number) => Node;

  /** @param words in their order */
  constructor(words: readonly Word[], after: (word: number) => Node) {
    this.#after = after;
    this.#words = words;
    this.start = stateOf(0, words.length, 0);
  }

  step(state: LeafState, byte: number): LeafState | null {
    const { from, to, length } = read(state);
    const first = this.#firstFrom(from, to, length, byte);
    const end = this.#firstFrom(first, to, length, byte + 1);
    return first === end ? null : stateOf(first, end, length + 1);
  }

  exit(state: LeafState): Node | null {
    const { from, length } = read(state);
    const word = this.#words[from];
    // Of those that begin alike the shortest is the first.
    return word === undefined || word.bytes.length > length ? null : this.#after(word.index);
  }

  goesOn(state: LeafState): boolean {
    const { to, length } = read(state);
    return (this.#words[to - 1]?.bytes.length ?? 0) > length;
  }

  plainCharacters(): number {
    return 0;
  }

  plainNoLonger(): boolean {
    return false;
  }

  /** The first of these words whose next byte is at least this one. */
  #firstFrom(from: number, to: number, length: number, byte: number): number {
    let low = from;
    let high = to;
    while (low < high) {
      const middle = (low + high) >> 1;
      const bytes = this.#words[middle]?.bytes ?? "";
      if (bytes.length <= length || bytes.charCodeAt(length) < byte) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function stateOf(from: number, to: number, length: number): number {
  return (from * WORDS + to) * LENGTH + length;
}

function read(state: LeafState): { from: number; to: number; length: number } {
  const words = Math.floor(Number(state) / LENGTH);
  return { from: Math.floor(words / WORDS), to: words % WORDS, length: Number(state) % LENGTH };
}

/** Just this text. */
export function literal(text: string): Node {
  return text === "" ? NOTHING : new Words(inOrder([text]), () => NOTHING);
}

/** One of these texts, at most 32,767, and what `after` says of the one that it was. */
export function oneOf(
  words: readonly string[],
  after: (word: number) => Node = () => NOTHING,
): Leaf {
  return new Words(inOrder(words), after);
}

/** As `oneOf`, of words that are in order already: a part of what `inOrder` gave will do. */
export function oneOfOrdered(words: readonly Word[], after: (word: number) => Node): Leaf {
  return new Words(words, after);
}

/** Each with its place in what was given. */
export function inOrder(words: readonly string[]): readonly Word[] {
  return words
    .map((word, index) => ({ bytes: guideBytes(word).toString("latin1"), index }))
    .sort((a, b) => (a.bytes < b.bytes ? -1 : a.bytes > b.bytes ? 1 : a.index - b.index));
}
