import { expect, test } from "bun:test";
import { formatSeconds, formatTable, ordinal } from "./format.ts";
import { ProgressView, progressLine, speedOf } from "./progress.ts";

test("spans are told as people say them", () => {
  expect([4.4, 60, 200, 3_599.6, 3_900].map(formatSeconds)).toEqual([
    "4s",
    "1m 00s",
    "3m 20s",
    "1h 00m",
    "1h 05m",
  ]);
});

test("columns line up", () => {
  expect(
    formatTable([
      ["A", "B"],
      ["long", "x"],
    ]),
  ).toBe("A     B\nlong  x");
});

test("speed and time left come from the last seconds", () => {
  expect(speedOf([{ at: 0, done: 0 }])).toBeNull();
  expect(
    speedOf([
      { at: 1_000, done: 1e6 },
      { at: 3_000, done: 5e6 },
    ]),
  ).toBe(2e6);
  expect(progressLine({ phase: "downloading", done: 25e6, total: 100e6 }, 1e6, 8)).toBe(
    "downloading  ██░░░░░░  25 %  25.0 MB of 100 MB  1.0 MB/s  1m 15s left",
  );
});

test("a log gets one line a tenth, a terminal one line that is drawn over", () => {
  const draw = (isTTY: boolean) => {
    const written: string[] = [];
    let now = 0;
    const view = new ProgressView({ isTTY, write: (text) => written.push(text) }, () => now);
    for (let done = 0; done <= 1_000; done += 5) {
      now += 150;
      view.update({ phase: "downloading", done, total: 1_000 });
    }
    return written;
  };
  const lines = draw(false);
  expect(lines.length).toBe(11);
  expect(lines.every((line) => line.endsWith("\n") && !line.includes("\x1b"))).toBe(true);
  expect(draw(true).every((line) => line.startsWith("\r") && !line.includes("\n"))).toBe(true);
});

test("places are counted as people do", () => {
  expect([1, 2, 3, 4, 11, 12, 13, 21, 102].map(ordinal)).toEqual([
    ...["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd"],
  ]);
});
