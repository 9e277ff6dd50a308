import type { CharDfa, Move } from "./char-dfa.ts";
import { freshId, type Leaf, type LeafState, type Node } from "./node.ts";

/**
 * A text in which a mark does not come, read in lock step with how much of the mark it ends with (Knuth,
 * Morris and Pratt, "Fast pattern matching in strings", 1977). It takes no more states than the text
 * itself: those of both together are found as they are needed.
 */
export class Unmarked implements Leaf {
  readonly kind = "leaf";
  readonly id = freshId();
  readonly start: LeafState;
  readonly cost: number;
  readonly #text: Leaf;
  readonly #mark: Buffer;
  readonly #borders: readonly number[];

  /**
   * @param text one in which the mark's last character leads nowhere that others don't (`needsNot`), so that
   * no state without an end is come to
   * @param mark not empty
   */
  constructor(text: Leaf, mark: string) {
    this.#text = text;
    this.#mark = Buffer.from(mark);
    this.#borders = bordersOf([...this.#mark]);
    this.start = named(0, text.start);
    this.cost = text.cost + 1;
  }

  step(from: LeafState, byte: number): LeafState | null {
    const { read, state } = parted(from);
    let at = read;
    while (at > 0 && this.#mark[at] !== byte) at = this.#borders[at] ?? 0;
    if (this.#mark[at] === byte) at += 1;
    if (at === this.#mark.length) return null;
    const after = this.#text.step(state, byte);
    return after === null ? null : named(at, after);
  }

  exit(from: LeafState): Node | null {
    return this.#text.exit(parted(from).state);
  }

  goesOn(from: LeafState): boolean {
    return this.#text.goesOn(parted(from).state);
  }

  plainCharacters(from: LeafState): number {
    const { read, state } = parted(from);
    const missing = [...this.#mark.subarray(read).toString("utf8")].length;
    return Math.min(this.#text.plainCharacters(state), missing - 1);
  }

  plainNoLonger(): boolean {
    return false;
  }
}

/** Whether a character leads nowhere from any state but to where others lead as well. */
export function needsNot({ moves }: CharDfa, character: string): boolean {
  const point = character.codePointAt(0) ?? 0;
  const isAlone = ({ low, high }: Move) => low === point && high === point;
  return moves.every((own) =>
    own.every((move) => !isAlone(move) || own.some((m) => m.to === move.to && !isAlone(m))),
  );
}

/** For each length, the longest shorter beginning of the list that its part of that length ends with. */
export function bordersOf(items: readonly number[]): number[] {
  const borders = [0, 0];
  for (let size = 2; size <= items.length; size++) {
    let at = borders[size - 1] ?? 0;
    while (at > 0 && items[at] !== items[size - 1]) at = borders[at] ?? 0;
    borders.push(items[at] === items[size - 1] ? at + 1 : 0);
  }
  return borders;
}

/** How much of the mark was read, and the text's own state. */
function named(read: number, state: LeafState): string {
  return `${read} ${state}`;
}

function parted(state: LeafState): { readonly read: number; readonly state: number } {
  const [read, own] = String(state).split(" ");
  return { read: Number(read), state: Number(own) };
}
