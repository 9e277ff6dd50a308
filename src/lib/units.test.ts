import { expect, test } from "bun:test";
import { parseAge, parseDuration, parseSize } from "./units.ts";

test.each([
  ["500ms", 500],
  ["5s", 5_000],
  ["1.5m", 90_000],
  ["10 m", 600_000],
  ["1h", 3_600_000],
  [15, 15_000],
  [0, 0],
])("the duration %p is %p ms", (text, milliseconds) =>
  expect(parseDuration(text)).toBe(milliseconds),
);

test.each([
  "",
  "5",
  "s",
  "-1s",
  "5 parsecs",
  "1h30m",
  "1e3s",
  "365d",
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
])("%p is no duration", (text) => expect(parseDuration(text)).toBeUndefined());

test.each([
  ["512MB", 512_000_000],
  ["4GiB", 4_294_967_296],
  ["1.5 kb", 1_500],
  ["10B", 10],
  [123, 123],
])("the size %p is %p bytes", (text, bytes) => expect(parseSize(text)).toBe(bytes));

test.each(["12", "MB", "-1MB", "1XB", -1, Number.NaN])("%p is no size", (text) =>
  expect(parseSize(text)).toBeUndefined(),
);

test.each([
  ["30d", 2_592_000_000],
  ["365d", 31_536_000_000],
  [0, 0],
])("what is kept for %p is kept for %p ms", (text, ms) => expect(parseAge(text)).toBe(ms));

test.each(["30", "for ever", "-1d", "1e9d", Number.NaN])(
  "%p is no time to keep something",
  (text) => expect(parseAge(text)).toBeUndefined(),
);
