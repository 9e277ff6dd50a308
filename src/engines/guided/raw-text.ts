import { type CharDfa, type Move, trimmed } from "./char-dfa.ts";
import { bordersOf } from "./unmarked.ts";

const LAST = 0x10ffff;

/**
 * Any text in which `mark`, which is not empty, does not come (Knuth, Morris and Pratt, "Fast pattern
 * matching in strings", 1977): a state is how much of the mark the text ends with.
 */
export function textWithout(mark: string): CharDfa {
  const points = [...mark].map((character) => character.codePointAt(0) ?? 0);
  const known = [...new Set(points)].sort((a, b) => a - b);
  const borders = bordersOf(points);
  const after = (state: number, point: number): number => {
    for (let at = state; ; at = borders[at] ?? 0) {
      if (points[at] === point) return at + 1;
      if (at === 0) return 0;
    }
  };
  const moves = points.map((_, state) => {
    const own: Move[] = [];
    let from = 0;
    for (const point of known) {
      if (point > from) own.push({ low: from, high: point - 1, to: 0 });
      const to = after(state, point);
      if (to < points.length) own.push({ low: point, high: point, to });
      from = point + 1;
    }
    own.push({ low: from, high: LAST, to: 0 });
    return own;
  });
  return { states: points.length, moves, accepts: points.map(() => true) };
}

/** Whether a text ends with its own beginning, so that where it first comes in another may be unclear. */
export function overlapsItself(mark: string): boolean {
  const points = [...mark].map((character) => character.codePointAt(0) ?? 0);
  return (bordersOf(points)[points.length] ?? 0) > 0;
}

/** The texts that begin with none of these characters, which are in order; null where there are none. */
export function notBegunBy(dfa: CharDfa, characters: readonly number[]): CharDfa | null {
  // The first state may be come to again: a copy of it is the first then.
  const copy = dfa.states;
  const again = (own: readonly Move[]) =>
    own.map((move) => (move.to === 0 ? { ...move, to: copy } : move));
  const [first = [], ...others] = dfa.moves.map(again);
  let begin = first;
  for (const point of characters) begin = begin.flatMap((move) => without(move, point));
  return trimmed({
    states: dfa.states + 1,
    moves: [begin, ...others, first],
    accepts: [...dfa.accepts, dfa.accepts[0] === true],
  });
}

function without({ low, high, to }: Move, point: number): Move[] {
  if (point < low || point > high) return [{ low, high, to }];
  return [
    { low, high: point - 1, to },
    { low: point + 1, high, to },
  ].filter((move) => move.low <= move.high);
}
