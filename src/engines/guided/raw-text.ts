import type { CharDfa, Move } from "./char-dfa.ts";

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

/** For each length, the longest shorter beginning of the text that its part of that length ends with. */
function bordersOf(points: readonly number[]): number[] {
  const borders = [0, 0];
  for (let size = 2; size <= points.length; size++) {
    let at = borders[size - 1] ?? 0;
    while (at > 0 && points[at] !== points[size - 1]) at = borders[at] ?? 0;
    borders.push(points[at] === points[size - 1] ? at + 1 : 0);
  }
  return borders;
}

/** Whether a text ends with its own beginning, so that where it first comes in another may be unclear. */
export function overlapsItself(mark: string): boolean {
  const points = [...mark].map((character) => character.codePointAt(0) ?? 0);
  return (bordersOf(points)[points.length] ?? 0) > 0;
}
