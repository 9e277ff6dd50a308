import { expect, test } from "bun:test";
import { atOnce, inSlices } from "./slices.ts";

function* counting(to: number): Generator<void, number> {
  let sum = 0;
  for (let i = 1; i <= to; i++) {
    sum += i;
    yield;
  }
  return sum;
}

test("a computation in slices gives what it gives at once", async () => {
  expect(await inSlices(counting(100), 0)).toBe(5_050);
  expect(atOnce(counting(100))).toBe(5_050);
});

test("the event loop gets its turn between slices", async () => {
  let turns = 0;
  const timer = setInterval(() => {
    turns++;
  }, 0);
  await inSlices(counting(5_000), 0);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(0);
});

test("what a step throws is thrown", async () => {
  const failing = (function* (): Generator<void, never> {
    yield;
    throw new Error("broken");
  })();
  await expect(inSlices(failing)).rejects.toThrow("broken");
});
