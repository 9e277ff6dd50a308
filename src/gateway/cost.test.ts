import { expect, test } from "bun:test";
import { costNanoUsd } from "./cost.ts";

test("a call costs its tokens and itself, in whole billionths of a dollar", () => {
  const price = { prompt: 1e-6, completion: 2.5e-6, request: 0.001 };
  expect(costNanoUsd(price, 7, 3)).toBe(7_000 + 7_500 + 1_000_000);
  expect(costNanoUsd({ prompt: 6e-8, completion: 0, request: 0 }, 1, 9)).toBe(60);
});

test("what nobody knows the price of has no cost, which is not the same as none", () => {
  expect(costNanoUsd(null, 7, 3)).toBeNull();
  expect(costNanoUsd({ prompt: 0, completion: 0, request: 0 }, 7, 3)).toBe(0);
});
