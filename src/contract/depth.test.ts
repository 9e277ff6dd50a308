import { expect, test } from "bun:test";
import { isDeeperThan } from "./depth.ts";

const nested = (levels: number): unknown =>
  JSON.parse(`${'[{"a":'.repeat(levels / 2)}1${"}]".repeat(levels / 2)}`);

test("depth counts arrays and objects alike, and scalars as none", () => {
  expect(isDeeperThan(1, 0)).toBe(false);
  expect(isDeeperThan(null, 0)).toBe(false);
  expect(isDeeperThan([], 0)).toBe(true);
  expect(isDeeperThan(nested(10), 10)).toBe(false);
  expect(isDeeperThan(nested(10), 9)).toBe(true);
  expect(isDeeperThan([1, [2], { b: nested(8) }], 9)).toBe(true);
});
