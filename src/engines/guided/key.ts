import { type Pending, piece } from "./characters.ts";
import { freshId, type Leaf, type LeafState, type Node } from "./node.ts";

/** Characters of a key that the schema does not name. Only one that is taken already may be longer. */
export const MOST_KEY_CHARACTERS = 64;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Stands behind the text of a key that is closed; no key has it. */
const CLOSED = '"';

/**
 * The key of a further property, without escapes, and its closing quote: none that the object has
 * already, or that the schema names. A state is the text so far, and after a line break the number
 * of the character that is not whole.
 */
export class FurtherKey implements Leaf {
  readonly kind = "leaf";
  readonly id = freshId();
  readonly start = "";
  readonly cost = 4;
  readonly #taken: (key: string) => boolean;
  readonly #after: (key: string) => Node;

  constructor(taken: (key: string) => boolean, after: (key: string) => Node) {
    this.#taken = taken;
    this.#after = after;
  }

  step(from: LeafState, byte: number): LeafState | null {
    const { text, pending, closed } = read(from);
    if (closed || byte === BACKSLASH) return null;
    if (byte === QUOTE)
      return pending === 0 && text !== "" && !this.#taken(text) ? text + CLOSED : null;
    if (pending === 0 && !this.#mayGrow(text)) return null;
    const next = piece(pending, byte, true);
    if (next === null) return null;
    return "whole" in next ? text + String.fromCodePoint(next.whole) : `${text}\n${next.pending}`;
  }

  exit(from: LeafState): Node | null {
    const { text, closed } = read(from);
    return closed ? this.#after(text) : null;
  }

  goesOn(from: LeafState): boolean {
    return !read(from).closed;
  }

  plainCharacters(from: LeafState): number {
    const { text, pending, closed } = read(from);
    return closed || pending !== 0 ? 0 : Math.max(0, MOST_KEY_CHARACTERS - [...text].length);
  }

  plainNoLonger(): boolean {
    return true;
  }

  #mayGrow(text: string): boolean {
    return (
      text.length < MOST_KEY_CHARACTERS ||
      [...text].length < MOST_KEY_CHARACTERS ||
      this.#taken(text)
    );
  }
}

function read(state: LeafState): { text: string; pending: Pending; closed: boolean } {
  const all = String(state);
  if (all.endsWith(CLOSED)) return { text: all.slice(0, -1), pending: 0, closed: true };
  const cut = all.indexOf("\n");
  if (cut === -1) return { text: all, pending: 0, closed: false };
  return { text: all.slice(0, cut), pending: Number(all.slice(cut + 1)), closed: false };
}
