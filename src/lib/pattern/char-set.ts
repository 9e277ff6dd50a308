/** A set of UTF-16 code units as ranges, both ends included, in order and apart from one another. */
export type CharSet = readonly (readonly [low: number, high: number])[];

export const LAST_CODE = 0xffff;

export function setOf(chars: string): CharSet {
  let set: CharSet = [];
  for (let i = 0; i < chars.length; i++) {
    const code = chars.charCodeAt(i);
    set = union(set, [[code, code]]);
  }
  return set;
}

export function union(a: CharSet, b: CharSet): CharSet {
  const sorted = [...a, ...b].sort((x, y) => x[0] - y[0]);
  const joined: [number, number][] = [];
  for (const [low, high] of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else joined.push([low, high]);
  }
  return joined;
}

export function complement(set: CharSet): CharSet {
  const rest: [number, number][] = [];
  let from = 0;
  for (const [low, high] of set) {
    if (low > from) rest.push([from, low - 1]);
    from = high + 1;
  }
  if (from <= LAST_CODE) rest.push([from, LAST_CODE]);
  return rest;
}

export const DIGIT: CharSet = [[48, 57]];
export const WORD: CharSet = union(setOf("_"), [
  [48, 57],
  [65, 90],
  [97, 122],
]);
/** As JavaScript's `\s`. */
export const SPACE: CharSet = union(setOf("\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff "), [
  [0x09, 0x0d],
  [0x2000, 0x200a],
]);
/** As JavaScript's `.`: anything but the ends of lines. */
export const ANY: CharSet = complement(setOf("\n\r\u2028\u2029"));
