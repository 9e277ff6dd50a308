import { ANY_TEXT, type CharDfa, plainOf } from "./char-dfa.ts";
import { meets } from "./char-ranges.ts";
import { firstAlike, type Pending, piece } from "./characters.ts";
import { freshId, type Leaf, type LeafState, NOTHING, type Node } from "./node.ts";
import { SpecError } from "./spec-error.ts";
import { Work } from "./work.ts";

/** How many characters a text has. */
export interface Length {
  readonly least: number;
  /** May be infinite. */
  readonly most: number;
}

export const ANY_LENGTH: Length = { least: 0, most: Number.POSITIVE_INFINITY };
/** The most that is counted. */
export const MOST_COUNTED = 1_000_000;
/** A pattern's states times the lengths that are counted: more is refused. */
const MOST_CELLS = 400_000;

/** So many moves are looked through in the time of one simple step. */
const MOVES_A_STEP = 16;
const ANY_PLAIN = plainOf(ANY_TEXT);
const CLOSED = -1;
const QUOTE = 0x22;
/** A state's parts, in one number: the automaton's state, characters so far, the one that is not whole. */
const STATES = 2 ** 13;
const COUNTS = 2 ** 20;

/**
 * A text that an automaton accepts and whose length is right: as it is, or as the inside of a JSON
 * string with its closing quote.
 */
export class Text implements Leaf {
  readonly kind = "leaf";
  readonly id = freshId();
  readonly start: number;
  readonly cost: number;
  readonly #dfa: CharDfa;
  readonly #length: Length;
  readonly #json: boolean;
  readonly #counts: boolean;
  /** Whether an end can be reached from a state after so many characters. */
  readonly #canEnd: (state: number, count: number) => boolean;
  /** How many plain characters each state takes at least, whatever they are. */
  readonly #plain: readonly number[];
  /** Whether all texts of the right length fit. */
  readonly #any: boolean;

  /** @throws SpecError when no text fits, or finding that out takes too long */
  constructor(dfa: CharDfa, length: Length, json: boolean, work = new Work()) {
    this.#dfa = dfa;
    this.#length = length;
    this.#json = json;
    this.#counts = length.least > 0 || length.most !== Number.POSITIVE_INFINITY;
    this.#any = dfa === ANY_TEXT;
    this.#plain = this.#any ? ANY_PLAIN : plainOf(dfa);
    this.#canEnd = canEndOf(dfa, length, work);
    if (!this.#canEnd(0, 0)) throw new SpecError("No text fits both the pattern and the length.");
    this.start = 0;
    const moves = dfa.moves.reduce((sum, { length }) => sum + length, 0);
    this.cost = 1 + Math.floor(moves / dfa.states / MOVES_A_STEP);
  }

  step(from: LeafState, byte: number): LeafState | null {
    const whole = Number(from);
    if (whole === CLOSED) return null;
    const state = whole % STATES;
    const count = Math.floor(whole / STATES) % COUNTS;
    const pending: Pending = Math.floor(whole / STATES / COUNTS);
    if (this.#json && byte === QUOTE && pending === 0)
      return this.#ends(state, count) ? CLOSED : null;
    const next = piece(pending, byte, this.#json);
    if (next === null) return null;
    const after = this.#after(count);
    for (const { low, high, to } of this.#dfa.moves[state] ?? []) {
      if (!this.#canEnd(to, after)) continue;
      if (!("whole" in next)) {
        if (!meets(next.becomes, low, high)) continue;
        const kept = firstAlike(next.pending, next.becomes, low, high);
        return (kept * COUNTS + count) * STATES + state;
      } else if (low <= next.whole && next.whole <= high) return after * STATES + to;
    }
    return null;
  }

  exit(from: LeafState): Node | null {
    const whole = Number(from);
    if (this.#json) return whole === CLOSED ? NOTHING : null;
    const state = whole % STATES;
    const count = Math.floor(whole / STATES);
    return count < COUNTS && this.#ends(state, count) ? NOTHING : null;
  }

  goesOn(from: LeafState): boolean {
    const whole = Number(from);
    if (whole === CLOSED) return false;
    if (this.#json || whole >= STATES * COUNTS) return true;
    const after = this.#after(Math.floor(whole / STATES));
    const moves = this.#dfa.moves[whole % STATES] ?? [];
    return moves.some(({ to }) => this.#canEnd(to, after));
  }

  plainCharacters(from: LeafState): number {
    const whole = Number(from);
    if (whole === CLOSED || whole >= STATES * COUNTS) return 0;
    const plain = this.#plain[whole % STATES] ?? 0;
    if (!this.#counts) return plain;
    // Where both a pattern and a length are given, not every way on can still end.
    return this.#any ? this.#length.most - Math.floor(whole / STATES) : 0;
  }

  plainNoLonger(): boolean {
    return this.#any;
  }

  /** Characters after one more; where there is no bound above, no more are counted than are needed. */
  #after(count: number): number {
    const { least, most } = this.#length;
    return most === Number.POSITIVE_INFINITY ? Math.min(count + 1, least) : count + 1;
  }

  #ends(state: number, count: number): boolean {
    const { least, most } = this.#length;
    return this.#dfa.accepts[state] === true && count >= least && count <= most;
  }
}

function canEndOf(
  dfa: CharDfa,
  { least, most }: Length,
  work: Work,
): (state: number, count: number) => boolean {
  if (least === 0 && most === Number.POSITIVE_INFINITY) return () => true;
  // Every text, or one of every length from everywhere.
  if (dfa.accepts.every(Boolean) && dfa.moves.every((moves) => moves.length > 0))
    return (_, count) => count <= most;
  // A way that is longer than there are states passes one of them twice: it can be made longer still.
  const longest = Math.min(most, least + dfa.states);
  if (dfa.states * (longest + 1) > MOST_CELLS)
    throw new SpecError(
      `A pattern of ${dfa.states} states with a length of ${longest} is too much: their product is at most ${MOST_CELLS}.`,
    );
  // Row k: for each state, how many of the lengths up to k can end it.
  const rows: Uint32Array[] = [];
  let exact = dfa.accepts.map((accepts) => accepts);
  for (let k = 0; k <= longest; k++) {
    work.spend(dfa.states);
    const before = rows[k - 1];
    rows.push(Uint32Array.from(exact, (ends, state) => (before?.[state] ?? 0) + (ends ? 1 : 0)));
    const last = exact;
    exact = dfa.moves.map((moves) => moves.some(({ to }) => last[to] === true));
  }
  const infinite = most === Number.POSITIVE_INFINITY;
  return (state, count) => {
    if (count > most) return false;
    if (infinite && count >= least) return true;
    const high = infinite ? longest : most - count;
    const low = Math.max(0, least - count);
    const upTo = rows[Math.min(high, longest)]?.[state] ?? 0;
    return upTo - (low === 0 ? 0 : (rows[low - 1]?.[state] ?? 0)) > 0;
  };
}
