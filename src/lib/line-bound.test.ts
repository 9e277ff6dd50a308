import { expect, test } from "bun:test";
import { LineBound } from "./line-bound.ts";

test("so many are told in a span, the rest are counted, and each name for itself", () => {
  const bound = new LineBound(2, 1000);
  const told = (name: string) => Array.from({ length: 5 }, () => bound.may(name, 0));
  expect(told("a")).toEqual([true, true, false, false, false]);
  expect(bound.may("b", 500)).toBe(true);
  expect(bound.ended(999)).toEqual([]);
  expect(bound.ended(1000)).toEqual([["a", 3]]);
  expect(bound.may("a", 1001)).toBe(true);
  expect(bound.ended(5000)).toEqual([]);
});
