import { expect, test } from "bun:test";
import type { Rectangle } from "./geometry.ts";
import { MOST_COLUMNS, readingWork, readWidth, refuseLongRead } from "./reading-work.ts";

const region = (width: number, height: number): Rectangle => ({
  ...{ width, height },
  centre: { x: 0, y: 0 },
  angle: 0,
});
const page = (lines: number, width: number, height: number) =>
  Array<Rectangle>(lines).fill(region(width, height));

test("a region is read as wide as it is at a line's height, at most 3,200", () => {
  expect(readWidth(region(480, 24))).toBe(960);
  expect(readWidth(region(1, 1000))).toBe(8);
  expect(readWidth(region(20_000, 20))).toBe(3_200);
});

test("work is the sum of widths, and of one that may stand those of both its sides too", () => {
  expect(readingWork([region(480, 24)])).toBeCloseTo(960 + 11.52);
  expect(readingWork([region(24, 480)])).toBeCloseTo(8 + 2 * 960 + 3 * 11.52);
});

test("a full page of print, a newspaper's and a large screen of small letters are read", () => {
  for (const lines of [page(60, 1500, 34), page(800, 420, 45), page(100, 2500, 18)])
    expect(() => refuseLongRead(lines)).not.toThrow();
});

test("more text than that is refused: small lines by the hundred, such that stand, pieces that lie over each other", () => {
  for (const lines of [page(140, 6000, 17), page(70, 17, 6000), page(600, 5000, 5000)]) {
    expect(readingWork(lines)).toBeGreaterThan(MOST_COLUMNS);
    expect(() => refuseLongRead(lines)).toThrow(`in ${lines.length} places; send it in parts`);
  }
});
