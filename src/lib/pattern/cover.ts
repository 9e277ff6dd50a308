import { type Automaton, automatonOf, type Edge, holds } from "./automaton.ts";
import { contextAt, Direction, MOST_SETS } from "./direction.ts";
import { PatternError, parsePattern } from "./parse.ts";

/** A part of a text, from `from` up to and without `to`, in UTF-16 code units. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Several patterns as one, that finds every character which is part of any match of any of them.
 *
 * Its time grows with the text and with nothing else: one pass forward says which states can be
 * reached, one backward from which of them a match can be completed; a character is found where
 * both meet. The engine's own RegExp can't be used for what must not be missed: past its limit of
 * backtracking steps (measured: 0.6 s) it answers that nothing matches.
 */
export class Cover {
  readonly #automaton: Automaton;
  #forward: Direction;
  #backward: Direction;
  readonly #steps: readonly (readonly Edge[])[];
  readonly #meets = new Map<number, boolean>();

  /** @throws PatternError */
  constructor(patterns: readonly string[]) {
    this.#automaton = automatonOf(patterns.map(parsePattern));
    const { edges, classes, sample } = this.#automaton;
    this.#forward = forwardOf(this.#automaton);
    this.#backward = backwardOf(this.#automaton);
    this.#steps = Array.from({ length: classes }, (_, id) =>
      edges.filter(({ set }) => set !== null && holds(set, sample[id] ?? 0)),
    );
  }

  /**
   * The parts of the text that belong to a match, joined where they touch.
   * @throws PatternError when this text makes the patterns too complex: then nothing is known of it
   */
  find(text: string): Span[] {
    try {
      return this.#find(text);
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
    }
    // Other texts may have filled the sets: this one gets all the room there is.
    this.#forward = forwardOf(this.#automaton);
    this.#backward = backwardOf(this.#automaton);
    this.#meets.clear();
    return this.#find(text);
  }

  #find(text: string): Span[] {
    if (!this.#forward.reachesEnd(text)) return [];
    const length = text.length;
    const reached = new Uint16Array(length);
    const { classOf } = this.#automaton;
    let set = 0;
    for (let at = 0; at < length; at++) {
      set = this.#forward.closed(set, contextAt(text, at));
      reached[at] = set;
      set = this.#forward.after(set, classOf[text.charCodeAt(at)] ?? 0);
    }
    const spans: { from: number; to: number }[] = [];
    set = 0;
    for (let at = length - 1; at >= 0; at--) {
      const ahead = this.#backward.closed(set, contextAt(text, at + 1));
      const id = classOf[text.charCodeAt(at)] ?? 0;
      set = this.#backward.after(ahead, id);
      if (!this.#meet(reached[at] ?? 0, ahead, id)) continue;
      const last = spans.at(-1);
      if (last !== undefined && last.from === at + 1) last.from = at;
      else spans.push({ from: at, to: at + 1 });
    }
    return spans.reverse();
  }

  /** Whether a step on this class leads from a state that was reached to one that can be completed. */
  #meet(reached: number, ahead: number, id: number): boolean {
    const name = (reached * MOST_SETS + ahead) * 256 + id;
    const known = this.#meets.get(name);
    if (known !== undefined) return known;
    const from = this.#forward.sets[reached];
    const to = this.#backward.sets[ahead];
    const met = (this.#steps[id] ?? []).some(
      (step) => from?.has(step.from) === true && to?.has(step.to) === true,
    );
    if (this.#meets.size > 200_000) this.#meets.clear();
    this.#meets.set(name, met);
    return met;
  }
}

/** The text with every part that belongs to a match replaced. @throws PatternError as `find` */
export function replaceCovered(text: string, cover: Cover, by: string): string {
  const spans = cover.find(text);
  if (spans.length === 0) return text;
  let result = "";
  let at = 0;
  for (const { from, to } of spans) {
    result += text.slice(at, from) + by;
    at = to;
  }
  return result + text.slice(at);
}

function forwardOf(automaton: Automaton): Direction {
  return new Direction(automaton, automaton.start, automaton.accept, ({ from, to }) => [from, to]);
}

function backwardOf(automaton: Automaton): Direction {
  return new Direction(automaton, automaton.accept, automaton.start, ({ from, to }) => [to, from]);
}
