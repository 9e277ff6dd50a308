import type { Reading } from "./ctc.ts";
import type { Planes } from "./pixels.ts";

/** How much less than a line's blackest columns differ in themselves a column may differ and be blank. */
const BLANK = 0.3;
/** Rows at top and bottom, of 48, where the lines above and below may reach in. */
const EDGE = 5;
/** A gap is a word space from so much of the usual one. */
const ENOUGH = 0.7;
/** And so many pixels wider than gaps between letters are. */
const CLEARLY = 3;
/** Word spaces of a line that tell more of it than those of its page. */
const OWN = 3;

/** Scripts that put no space between words. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;

/**
 * Puts in the spaces that the network left out. It leaves them out often, and never finds too many: so the gaps in
 * the ink where it saw a space tell how wide spaces are on this page, and where two letters are that far
 * apart there is one.
 */
export class WordSpaces {
  readonly #seen: number[] = [];

  /** The text of a line with its spaces; `planes` are what was read. */
  spaced({ text, places }: Pick<Reading, "text" | "places">, planes: Planes): string {
    const characters = [...text];
    const blank = blankColumns(planes);
    const gaps: { readonly before: number; readonly width: number; readonly spaced: boolean }[] =
      [];
    let last: number | null = null;
    characters.forEach((character, index) => {
      if (character === " ") return;
      const [from, to] = [last === null ? null : places[last], places[index]];
      if (from !== undefined && from !== null && to !== undefined && last !== null)
        gaps.push({ before: index, width: widest(blank, from, to), spaced: index - last > 1 });
      last = index;
    });
    const own = gaps.filter(({ spaced }) => spaced).map(({ width }) => width);
    this.#seen.push(...own);
    const usual = median(own.length >= OWN ? own : this.#seen);
    const letters = median(gaps.filter(({ spaced }) => !spaced).map(({ width }) => width)) ?? 0;
    if (usual === null) return text;
    const least = Math.max(ENOUGH * usual, letters + CLEARLY);
    const missing = new Set(
      gaps
        .filter(({ before, width, spaced }) => !spaced && width >= least && before > 0)
        .filter(
          ({ before }) => !isUnspaced(characters[before - 1]) && !isUnspaced(characters[before]),
        )
        .map(({ before }) => before),
    );
    return characters.map((each, index) => (missing.has(index) ? ` ${each}` : each)).join("");
  }
}

function isUnspaced(character: string | undefined): boolean {
  return character !== undefined && UNSPACED.test(character);
}

/** Columns without ink: what is in them differs little, be the print dark or light. */
function blankColumns({ width, height, data }: Planes): readonly boolean[] {
  const ranges = new Float64Array(width);
  for (let x = 0; x < width; x++) {
    let [least, most] = [Infinity, -Infinity];
    for (let y = EDGE; y < height - EDGE; y++) {
      // The middle plane, green, is nearly the luminance.
      const value = data[width * height + y * width + x] ?? 0;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    ranges[x] = most - least;
  }
  const sorted = ranges.toSorted();
  const [floor, top] = [
    sorted[Math.floor(width * 0.05)] ?? 0,
    sorted[Math.floor(width * 0.95)] ?? 0,
  ];
  return Array.from(ranges, (range) => range <= floor + BLANK * (top - floor));
}

/** The longest run of blank columns between two places. */
function widest(blank: readonly boolean[], from: number, to: number): number {
  let [best, run] = [0, 0];
  for (let x = Math.floor(from); x <= to; x++) {
    run = blank[x] === true ? run + 1 : 0;
    best = Math.max(best, run);
  }
  return best;
}

function median(values: readonly number[]): number | null {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? null;
}
