import { type CharDfa, type Move, trimmed } from "./char-dfa.ts";
import { SpecError } from "./spec-error.ts";
import type { Work } from "./work.ts";

const LAST = 0x10ffff;
/** A state of the second automaton from which no text of its is left. */
const NOWHERE = -1;
/** Steps in which a pair of states is made. */
const PAIR_WORK = 5;
/** As many as one expression may have. */
const MOST_STATES = 2_000;

/** The texts that both accept; null when there are none. @throws SpecError when it is too complex */
export function bothOf(one: CharDfa, other: CharDfa, work: Work): CharDfa | null {
  return paired(one, other, work, (a, b) => a && b, false);
}

/** The texts that the first accepts and the second does not; as above. */
export function oneWithout(one: CharDfa, other: CharDfa, work: Work): CharDfa | null {
  return paired(one, other, work, (a, b) => a && !b, true);
}

/** Both read in lock step; `alone`: the first goes on where the second can't. */
function paired(
  one: CharDfa,
  other: CharDfa,
  work: Work,
  accepts: (a: boolean, b: boolean) => boolean,
  alone: boolean,
): CharDfa | null {
  const ids = new Map<number, number>();
  const pairs: (readonly [number, number])[] = [];
  const idOf = (a: number, b: number): number => {
    const name = a * (other.states + 1) + b + 1;
    const known = ids.get(name);
    if (known !== undefined) return known;
    if (pairs.length >= MOST_STATES)
      throw new SpecError(
        `The regular expression is too complex: with what else is asked of the text it needs more than ${MOST_STATES} states.`,
      );
    ids.set(name, pairs.length);
    pairs.push([a, b]);
    return pairs.length - 1;
  };
  idOf(0, 0);
  const moves: Move[][] = [];
  for (const [a, b] of pairs) {
    work.spend(PAIR_WORK);
    const theirs = other.moves[b] ?? [];
    const ways = alone ? [...theirs, ...gaps(theirs)] : theirs;
    const own: Move[] = [];
    for (const first of one.moves[a] ?? [])
      for (const second of ways) {
        work.spend(1);
        const low = Math.max(first.low, second.low);
        const high = Math.min(first.high, second.high);
        if (low <= high) own.push({ low, high, to: idOf(first.to, second.to) });
      }
    moves.push(own.sort((x, y) => x.low - y.low));
  }
  const ends = pairs.map(([a, b]) => accepts(one.accepts[a] === true, other.accepts[b] === true));
  return trimmed({ states: pairs.length, moves, accepts: ends });
}

/** The characters that no move takes. */
function gaps(moves: readonly Move[]): Move[] {
  const found: Move[] = [];
  let from = 0;
  for (const { low, high } of moves) {
    if (low > from) found.push({ low: from, high: low - 1, to: NOWHERE });
    from = high + 1;
  }
  if (from <= LAST) found.push({ low: from, high: LAST, to: NOWHERE });
  return found;
}
