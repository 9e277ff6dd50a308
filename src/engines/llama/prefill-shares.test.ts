import { expect, test } from "bun:test";
import { prefillShares } from "./prefill-shares.ts";

const open = (left: number, apart = false) => ({ left, apart });

test("short prompts go together, as far as all of each fits", () => {
  expect(prefillShares([open(10), open(12), open(40), open(5)], 32)).toEqual([10, 12]);
  expect(prefillShares([open(10), open(22), open(5)], 32)).toEqual([10, 22]);
});

test("a long prompt has the batch to itself", () => {
  expect(prefillShares([open(500), open(5)], 32)).toEqual([32]);
});

test("a prompt that is to be apart is never beside another", () => {
  expect(prefillShares([open(10, true), open(5)], 32)).toEqual([10]);
  expect(prefillShares([open(5), open(10, true), open(5)], 32)).toEqual([5]);
});

test("nobody in line, nothing to evaluate", () => {
  expect(prefillShares([], 32)).toEqual([]);
});
