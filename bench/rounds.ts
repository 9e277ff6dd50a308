import { ratios, spread } from "./statistics.ts";

/** Ratios that lie further apart than this ask for more rounds. */
const STEADY = 0.25;
const MOST = 2;

/**
 * Measures all sides by turns, so that whatever else the machine does falls on each of them. On an
 * unsteady machine, where the ratios of the second to the first lie far apart, up to twice as many
 * rounds. Returns one list a side.
 */
export async function byTurns<T>(
  rounds: number,
  sides: readonly ((round: number) => Promise<T>)[],
  value: (measured: T) => number,
): Promise<T[][]> {
  const results: T[][] = sides.map(() => []);
  for (let round = 0; round < rounds * MOST; round++) {
    if (round >= rounds && isSteady(results, value)) break;
    for (const [side, measure] of sides.entries()) results[side]?.push(await measure(round));
  }
  return results;
}

function isSteady<T>([theirs = [], ours = []]: readonly T[][], value: (m: T) => number): boolean {
  return spread(ratios(ours.map(value), theirs.map(value))) <= STEADY;
}
