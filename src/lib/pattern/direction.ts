import { type Automaton, type Edge, holds } from "./automaton.ts";
import { WORD } from "./char-set.ts";
import { type Assertion, PatternError } from "./parse.ts";

/** Sets that one direction may have, and states in all of them, before the patterns count as too complex. */
export const MOST_SETS = 5000;
const MOST_IN_SETS = 500_000;
/** What stands on either side of a place between two characters: nothing, a word's character, another. */
const SIDES = 3;
const CONTEXTS = SIDES * SIDES;

const isWord = new Uint8Array(0x10000).fill(1);
for (const [low, high] of WORD) isWord.fill(2, low, high + 1);

/** Sets of states and how one follows another, found as they are needed. Set 0 is the empty one. */
export class Direction {
  readonly sets: ReadonlySet<number>[] = [new Set()];
  readonly #ids = new Map<string, number>([["", 0]]);
  readonly #automaton: Automaton;
  /** Where every match begins in this direction, and where it ends. */
  readonly #origin: number;
  readonly #end: number;
  readonly #hasAssertions: boolean;
  readonly #free: Map<number, { to: number; assert: Assertion | null }[]>;
  readonly #taking: Map<number, { to: number; edge: Edge }[]>;
  readonly #closed: Int32Array[] = [];
  readonly #after: Int32Array[] = [];
  /** Both in one step: the set after a character, doubled, and 1 when a match ended before it. */
  readonly #steps: Int32Array[] = [];
  #inSets = 0;

  constructor(
    automaton: Automaton,
    origin: number,
    end: number,
    ends: (edge: Edge) => readonly [from: number, to: number],
  ) {
    this.#automaton = automaton;
    this.#origin = origin;
    this.#end = end;
    this.#hasAssertions = automaton.edges.some(({ assert }) => assert !== null);
    this.#free = new Map();
    this.#taking = new Map();
    for (const edge of automaton.edges) {
      const [from, to] = ends(edge);
      if (edge.set === null) listAt(this.#free, from).push({ to, assert: edge.assert });
      else listAt(this.#taking, from).push({ to, edge });
    }
  }

  /** Whether any match ends in the text. Most texts have none, and this is all they cost. */
  reachesEnd(text: string): boolean {
    const { classOf, classes } = this.#automaton;
    const steps = this.#steps;
    let set = 0;
    for (let at = 0; at < text.length; at++) {
      const context = this.#hasAssertions ? contextAt(text, at) : 0;
      const id = classOf[text.charCodeAt(at)] ?? 0;
      const known = steps[set]?.[context * classes + id] ?? -1;
      const step = known === -1 ? this.#step(set, context, id) : known;
      if ((step & 1) === 1) return true;
      set = step >> 1;
    }
    const last = this.closed(set, contextAt(text, text.length));
    return this.sets[last]?.has(this.#end) === true;
  }

  #step(set: number, context: number, id: number): number {
    const { classes } = this.#automaton;
    const closed = this.closed(set, context);
    const ended = this.sets[closed]?.has(this.#end) === true ? 1 : 0;
    const step = this.after(closed, id) * 2 + ended;
    rowAt(this.#steps, set, CONTEXTS * classes)[context * classes + id] = step;
    return step;
  }

  /** With all that is reached without taking a character; a match may begin anywhere. */
  closed(set: number, context: number): number {
    const row = rowAt(this.#closed, set, CONTEXTS);
    const known = row[context] ?? -1;
    if (known !== -1) return known;
    const states = new Set(this.sets[set]);
    states.add(this.#origin);
    const waiting = [...states];
    for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
      for (const { to, assert } of this.#free.get(state) ?? []) {
        if (states.has(to) || (assert !== null && !isTrue(assert, context))) continue;
        states.add(to);
        waiting.push(to);
      }
    }
    const id = this.#idOf(states);
    row[context] = id;
    return id;
  }

  /** After taking a character of this class. */
  after(set: number, id: number): number {
    const row = rowAt(this.#after, set, this.#automaton.classes);
    const known = row[id] ?? -1;
    if (known !== -1) return known;
    const sample = this.#automaton.sample[id] ?? 0;
    const states = new Set<number>();
    for (const state of this.sets[set] ?? []) {
      for (const { to, edge } of this.#taking.get(state) ?? []) {
        if (edge.set !== null && holds(edge.set, sample)) states.add(to);
      }
    }
    const next = this.#idOf(states);
    row[id] = next;
    return next;
  }

  #idOf(states: ReadonlySet<number>): number {
    const name = [...states].sort((a, b) => a - b).join(" ");
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const id = this.sets.length;
    this.#inSets += states.size;
    if (id >= MOST_SETS || this.#inSets > MOST_IN_SETS)
      throw new PatternError("the patterns are too complex for this text");
    this.sets.push(states);
    this.#ids.set(name, id);
    return id;
  }
}

function listAt<T>(lists: Map<number, T[]>, key: number): T[] {
  const known = lists.get(key);
  if (known !== undefined) return known;
  const fresh: T[] = [];
  lists.set(key, fresh);
  return fresh;
}

function rowAt(rows: Int32Array[], index: number, width: number): Int32Array {
  const known = rows[index];
  if (known !== undefined) return known;
  const fresh = new Int32Array(width).fill(-1);
  rows[index] = fresh;
  return fresh;
}

/** What stands before and after the place `at`: 0 nothing, 1 another character, 2 a word's. */
export function contextAt(text: string, at: number): number {
  const before = at === 0 ? 0 : (isWord[text.charCodeAt(at - 1)] ?? 1);
  const after = at === text.length ? 0 : (isWord[text.charCodeAt(at)] ?? 1);
  return before * SIDES + after;
}

function isTrue(assert: Assertion, context: number): boolean {
  const before = Math.floor(context / SIDES);
  const after = context % SIDES;
  const boundary = (before === 2) !== (after === 2);
  switch (assert) {
    case "start":
      return before === 0;
    case "end":
      return after === 0;
    case "word":
      return boundary;
    case "inside":
      return !boundary;
  }
}
