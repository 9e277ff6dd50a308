import { expect, test } from "bun:test";
import { spaced } from "./word-spaces.ts";

/**
 * A line as pixels and what the network made of it. Each letter is ink 10 columns wide, a hyphen a gap of 6 and a blank
 * one of 14. The network read no space, but for `_`; it held one for so likely as told, by the letter after it.
 */
function read(drawing: string, likely: { readonly [letter: string]: number } = {}): string {
  const columns: number[] = [];
  const letters: string[] = [];
  const places: number[] = [];
  for (const sign of drawing) {
    if (sign === "-") columns.push(...Array(6).fill(0));
    else if (sign === " " || sign === "_") columns.push(...Array(14).fill(0));
    else columns.push(...Array(10).fill(1));
    if (sign === "-" || sign === " ") continue;
    letters.push(sign === "_" ? " " : sign);
    places.push(columns.length - 5);
  }
  const width = columns.length;
  const data = new Float32Array(3 * width * 48);
  for (let x = 0; x < width; x++)
    for (let y = 10; y < 38; y++) data[width * 48 + y * width + x] = (columns[x] ?? 0) * (y % 2);
  const spaces = letters.map((letter) => likely[letter] ?? 0.0001);
  return spaced({ text: letters.join(""), places, spaces }, { width, height: 48, data });
}

test("a space is put in where the network held it for likely and the ink has a gap, also if it read none in the line", () => {
  expect(read("a-b c-d e-f", { c: 0.05, e: 0.01 })).toBe("ab cd ef");
  expect(read("a-b_c-d e-f", { c: 0.9, e: 0.01 })).toBe("ab cd ef");
});

test("a gap alone is none, however wide it is beside the others", () => {
  expect(read("a-b c-d e-f")).toBe("abcdef");
  expect(read("1 1 1 8-2-6")).toBe("111826");
});

test("the narrower the gap is, the likelier it must have been, and where letters touch there is none", () => {
  expect(read("a-b-c", { b: 0.2, c: 0.45 })).toBe("ab c");
  expect(read("-abc-", { c: 0.9 })).toBe("abc");
});

test("between two figures it must be likelier, and before a point or comma, or after that of a number, more so", () => {
  expect(read("2 1 7 x", { "1": 0.003, "7": 0.006, x: 0.003 })).toBe("21 7 x");
  expect(read("1-, 7-1-. 3 a-, 4", { "7": 0.01, "3": 0.05, "4": 0.003 })).toBe("1,71. 3a, 4");
  expect(read("a . b ,-c", { ".": 0.01, b: 0.01, ",": 0.03 })).toBe("a. b ,c");
});

test("Chinese is never spaced", () => {
  expect(read("你-好 世-界", { 世: 0.4 })).toBe("你好世界");
});
