/** Code points as ranges, both ends included, in order, apart from one another, without surrogates. */
export type CharRanges = readonly CharRange[];
export type CharRange = readonly [low: number, high: number];

const LAST = 0x10ffff;
const SURROGATES: CharRange = [0xd800, 0xdfff];

/** Any characters' ranges in the form above. */
export function rangesOf(ranges: Iterable<CharRange>): CharRanges {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0]);
  const joined: [number, number][] = [];
  for (const [low, high] of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else joined.push([low, high]);
  }
  return joined.flatMap(withoutSurrogates);
}

export function complement(ranges: CharRanges): CharRanges {
  const rest: CharRange[] = [];
  let from = 0;
  for (const [low, high] of ranges) {
    if (low > from) rest.push([from, low - 1]);
    from = high + 1;
  }
  if (from <= LAST) rest.push([from, LAST]);
  return rangesOf(rest);
}

export function char(point: number): CharRanges {
  return rangesOf([[point, point]]);
}

/** Whether any of the characters lies between `low` and `high`. */
export function meets(ranges: CharRanges, low: number, high: number): boolean {
  return ranges.some(([from, to]) => from <= high && to >= low);
}

function withoutSurrogates([low, high]: CharRange): CharRange[] {
  const [first, last] = SURROGATES;
  if (high < first || low > last) return [[low, high]];
  const parts: CharRange[] = [];
  if (low < first) parts.push([low, first - 1]);
  if (high > last) parts.push([last + 1, high]);
  return parts;
}

export const EVERY: CharRanges = rangesOf([[0, LAST]]);
export const DIGIT: CharRanges = [[48, 57]];
export const WORD: CharRanges = rangesOf([
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
]);
/** As JavaScript's `\s`. */
export const SPACE: CharRanges = rangesOf([
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]);
/** As JavaScript's `.`: anything but the ends of lines. */
export const DOT: CharRanges = complement(
  rangesOf([
    [0x0a, 0x0a],
    [0x0d, 0x0d],
    [0x2028, 0x2029],
  ]),
);
