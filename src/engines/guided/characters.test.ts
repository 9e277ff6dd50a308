import { expect, test } from "bun:test";
import { matches, readerOf } from "../../../test/guided/matches.ts";
import { Seeded } from "../../../test/seeded.ts";
import type { CharRange } from "./char-ranges.ts";

const LAST = 0x10ffff;
const isSurrogate = (point: number) => point >= 0xd800 && point <= 0xdfff;
const written = (point: number) => `\\U${point.toString(16).padStart(8, "0")}`;

/** What lies at the edges of the ranges, and of UTF-8's own. */
function edgesOf(ranges: readonly CharRange[]): number[] {
  const of = [0x80, 0x800, 0x1000, 0xd000, 0xe000, 0x10000, 0x40000, 0x100000, ...ranges.flat()];
  const around = (point: number, size: number) => {
    const first = Math.floor(point / size) * size;
    return [first - 1, first, first + size - 1, first + size];
  };
  return [...of, ...of.flatMap((point) => [1, 64, 4096, 262_144].flatMap((s) => around(point, s)))];
}

test("a class has its characters, however many bytes they have and wherever its ranges end", () => {
  const random = new Seeded(5);
  const point = () => random.below([0x100, 0x1000, 0x10000, LAST][random.below(4)] ?? LAST);
  for (let round = 0; round < 30; round++) {
    const ranges = Array.from({ length: 1 + random.below(3) }, (): CharRange => {
      const [a, b] = [point(), point()];
      return [Math.min(a, b), Math.max(a, b)];
    });
    const inside = ranges.map(([low, high]) => `${written(low)}-${written(high)}`).join("");
    for (const negated of [false, true]) {
      const source = `root ::= [${negated ? "^" : ""}${inside}]+`;
      const read = readerOf({ kind: "grammar", source });
      for (const each of [...edgesOf(ranges), ...Array.from({ length: 50 }, point)]) {
        if (each < 0 || each > LAST || isSurrogate(each)) continue;
        const has = ranges.some(([low, high]) => each >= low && each <= high);
        const text = String.fromCodePoint(each);
        expect(`${source} ${each} ${read(text)}`).toBe(
          `${source} ${each} ${has === negated ? "neither" : "whole"}`,
        );
      }
    }
  }
});

test("a choice between two classes knows which of them a character was of", () => {
  const source =
    'root ::= ([\\u4e00-\\u5fff] "a" | [\\u6000-\\u9fff] "b" | [\\U00010000-\\U0010ffff] "c")+';
  const is = (text: string) => matches({ kind: "grammar", source }, text);
  for (const text of ["一a", "龍b", "🙂c", "一a龍b🙂c"]) expect(is(text)).toBe(true);
  for (const text of ["一b", "龍a", "🙂a", "aa"]) expect(is(text)).toBe(false);
});
