import { freshId, type Leaf, type LeafState, NOTHING, type Node } from "./node.ts";

interface Branch {
  readonly next: Map<number, number>;
  word: number | null;
}

const encoder = new TextEncoder();

/** One of several texts, read byte by byte along a trie; what follows is said by the one that it was. */
class Words implements Leaf {
  readonly kind = "leaf";
  readonly id = freshId();
  readonly start = 0;
  readonly #branches: Branch[] = [{ next: new Map(), word: null }];
  readonly #after: (word: number) => Node;

  constructor(words: readonly string[], after: (word: number) => Node) {
    this.#after = after;
    for (const [index, word] of words.entries()) {
      let at = 0;
      for (const byte of encoder.encode(word)) at = this.#next(at, byte);
      const branch = this.#branches[at];
      if (branch !== undefined) branch.word ??= index;
    }
  }

  step(state: LeafState, byte: number): LeafState | null {
    return this.#branches[Number(state)]?.next.get(byte) ?? null;
  }

  exit(state: LeafState): Node | null {
    const word = this.#branches[Number(state)]?.word ?? null;
    return word === null ? null : this.#after(word);
  }

  goesOn(state: LeafState): boolean {
    return (this.#branches[Number(state)]?.next.size ?? 0) > 0;
  }

  plainCharacters(): number {
    return 0;
  }

  plainNoLonger(): boolean {
    return false;
  }

  #next(at: number, byte: number): number {
    const next = this.#branches[at]?.next;
    const known = next?.get(byte);
    if (known !== undefined) return known;
    const fresh = this.#branches.length;
    this.#branches.push({ next: new Map(), word: null });
    next?.set(byte, fresh);
    return fresh;
  }
}

/** Just this text. */
export function literal(text: string): Node {
  return text === "" ? NOTHING : new Words([text], () => NOTHING);
}

/** One of these texts, and what `after` says of the one that it was. */
export function oneOf(words: readonly string[], after: (word: number) => Node = () => NOTHING) {
  return new Words(words, after);
}
