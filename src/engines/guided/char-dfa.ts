import { EVERY, meets } from "./char-ranges.ts";
import { PLAIN } from "./token-trie.ts";

/**
 * A deterministic automaton over code points, from which every state can still reach an end. State 0
 * is the first.
 */
export interface CharDfa {
  readonly states: number;
  /** What leads on from each state, in order of the characters. */
  readonly moves: readonly (readonly Move[])[];
  readonly accepts: readonly boolean[];
}

export interface Move {
  readonly low: number;
  readonly high: number;
  readonly to: number;
}

/** Any text. */
export const ANY_TEXT: CharDfa = {
  states: 1,
  moves: [EVERY.map(([low, high]) => ({ low, high, to: 0 }))],
  accepts: [true],
};

/**
 * For each state, how many plain characters it takes at least, whatever they are: as many as lead to
 * the nearest state that does not take them all.
 */
export function plainOf(dfa: CharDfa): number[] {
  const counts: number[] = Array.from({ length: dfa.states }, () => Number.POSITIVE_INFINITY);
  const before: number[][] = Array.from({ length: dfa.states }, () => []);
  const waiting: number[] = [];
  for (const [state, moves] of dfa.moves.entries()) {
    if (PLAIN.every(([low, high]) => covers(moves, low, high)))
      for (const { low, high, to } of moves) {
        if (meets(PLAIN, low, high)) before[to]?.push(state);
      }
    else {
      counts[state] = 0;
      waiting.push(state);
    }
  }
  for (const state of waiting) {
    for (const from of before[state] ?? []) {
      if (counts[from] !== Number.POSITIVE_INFINITY) continue;
      counts[from] = (counts[state] ?? 0) + 1;
      waiting.push(from);
    }
  }
  return counts;
}

/** @param moves in order of their characters */
function covers(moves: readonly Move[], low: number, high: number): boolean {
  let from = low;
  for (const move of moves) if (move.low <= from && move.high >= from) from = move.high + 1;
  return from > high;
}

/** Without what leads nowhere; null when nothing is left. */
export function trimmed(dfa: CharDfa): CharDfa | null {
  const before: number[][] = Array.from({ length: dfa.states }, () => []);
  for (const [from, moves] of dfa.moves.entries())
    for (const { to } of moves) before[to]?.push(from);
  const alive = new Set<number>();
  for (const [state, accepts] of dfa.accepts.entries()) if (accepts) alive.add(state);
  for (const state of alive) for (const from of before[state] ?? []) alive.add(from);
  if (!alive.has(0)) return null;
  const kept = [...alive].sort((a, b) => a - b);
  const renamed = new Map(kept.map((state, index) => [state, index]));
  return {
    states: kept.length,
    accepts: kept.map((state) => dfa.accepts[state] === true),
    moves: kept.map((state) =>
      (dfa.moves[state] ?? []).flatMap(({ low, high, to }) => {
        const target = renamed.get(to);
        return target === undefined ? [] : [{ low, high, to: target }];
      }),
    ),
  };
}
