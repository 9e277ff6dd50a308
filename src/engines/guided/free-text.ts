import { guideBytes } from "../sealed.ts";
import { freshId, type Leaf, type LeafState, type Node } from "./node.ts";

/**
 * Any bytes up to the first of several texts, which it reads too (Aho and Corasick, "Efficient
 * string matching", 1975); what follows is said by the one that it was. Of two that end at the same
 * place it is the longer one. Without `after` none of them may come.
 */
export class FreeText implements Leaf {
  readonly kind = "leaf";
  readonly id = freshId();
  readonly start = 0;
  readonly cost = 1;
  readonly #next: Map<number, number>[] = [new Map()];
  readonly #fail: number[] = [0];
  readonly #word: (number | null)[] = [null];
  readonly #after: ((word: number) => Node) | null;
  readonly #mayEnd: Node | null;

  /** @param mayEnd what follows where it ends without any of them; null where it may not */
  constructor(
    words: readonly string[],
    after: ((word: number) => Node) | null,
    mayEnd: Node | null,
  ) {
    this.#after = after;
    this.#mayEnd = mayEnd;
    for (const [index, word] of words.entries()) this.#add(word, index);
    const waiting = [0];
    for (const at of waiting) {
      for (const [byte, to] of this.#next[at] ?? []) {
        waiting.push(to);
        if (at === 0) continue;
        const fail = this.#go(this.#fail[at] ?? 0, byte);
        this.#fail[to] = fail;
        this.#word[to] ??= this.#word[fail] ?? null;
      }
    }
  }

  step(state: LeafState, byte: number): LeafState | null {
    const at = Number(state);
    if (this.#wordAt(at) !== null) return null;
    const next = this.#go(at, byte);
    return this.#after === null && this.#wordAt(next) !== null ? null : next;
  }

  exit(state: LeafState): Node | null {
    const word = this.#wordAt(Number(state));
    return word === null ? this.#mayEnd : (this.#after?.(word) ?? null);
  }

  goesOn(state: LeafState): boolean {
    return this.#wordAt(Number(state)) === null;
  }

  plainCharacters(): number {
    return 0;
  }

  plainNoLonger(): boolean {
    return false;
  }

  #wordAt(at: number): number | null {
    return this.#word[at] ?? null;
  }

  #go(from: number, byte: number): number {
    for (let at = from; ; at = this.#fail[at] ?? 0) {
      const to = this.#next[at]?.get(byte);
      if (to !== undefined) return to;
      if (at === 0) return 0;
    }
  }

  #add(word: string, index: number): void {
    let at = 0;
    for (const byte of guideBytes(word)) {
      const next = this.#next[at];
      let to = next?.get(byte);
      if (to === undefined) {
        to = this.#next.length;
        this.#next.push(new Map());
        this.#fail.push(0);
        this.#word.push(null);
        next?.set(byte, to);
      }
      at = to;
    }
    this.#word[at] ??= index;
  }
}
