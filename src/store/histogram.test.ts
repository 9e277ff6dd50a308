import { expect, test } from "bun:test";
import { BUCKET_BOUNDS, BUCKETS, bucketColumns, bucketOf, quantile } from "./histogram.ts";

test("there are 32 buckets, five a decade from 1 ms to 1,000 s", () => {
  expect(BUCKETS).toBe(32);
  expect(BUCKET_BOUNDS.slice(0, 7)).toEqual([1, 1.6, 2.5, 4, 6.3, 10, 16]);
  expect(BUCKET_BOUNDS.at(-1)).toBe(1_000_000);
  expect(bucketColumns("f").slice(-2)).toEqual(["f30", "f31"]);
});

test("a duration is in the bucket whose upper bound it does not exceed", () => {
  expect([0, 1, 1.01, 10, 10.1, 1_000_000, 1_000_001, -5, Number.NaN].map(bucketOf)).toEqual([
    0, 0, 1, 5, 6, 30, 31, 0, 0,
  ]);
});

test("a quantile is within a bucket's width of the true one, and merging is adding", () => {
  const times = Array.from({ length: 20_000 }, (_, n) => 3 * 1.0005 ** n);
  const halves = [times.slice(0, 7_000), times.slice(7_000)].map((part) => {
    const counts = Array<number>(BUCKETS).fill(0);
    for (const ms of part) counts[bucketOf(ms)] = (counts[bucketOf(ms)] ?? 0) + 1;
    return counts;
  });
  const merged = (halves[0] ?? []).map((count, n) => count + (halves[1]?.[n] ?? 0));
  for (const q of [0.01, 0.5, 0.9, 0.95, 0.99]) {
    const truth = times[Math.ceil(q * times.length) - 1] ?? 0;
    const ratio = (quantile(merged, q) ?? 0) / truth;
    expect(ratio).toBeGreaterThan(1 / 1.6);
    expect(ratio).toBeLessThan(1.6);
  }
  expect(quantile(Array<number>(BUCKETS).fill(0), 0.5)).toBeNull();
});
