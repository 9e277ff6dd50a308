import { expect, test } from "bun:test";
import { createRandom, xoshiro128 } from "./random.ts";

test("the generator gives its authors' numbers", () => {
  const next = xoshiro128(1, 2, 3, 4);
  expect([next(), next(), next(), next()]).toEqual([11520, 0, 5927040, 70819200]);
});

test("numbers are from 0 up to 1, spread evenly, also those of neighbouring seeds", () => {
  const firsts = Array.from({ length: 10_000 }, (_, seed) => createRandom(seed)());
  const one = createRandom(7);
  for (const numbers of [firsts, Array.from({ length: 10_000 }, one)]) {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (const number of numbers) {
      expect(number >= 0 && number < 1).toBe(true);
      const tenth = Math.floor(number * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    // 9 degrees of freedom, 1 in 10,000.
    expect(tenths.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(33.7);
  }
});

test("a seed's numbers are the same every time", () => {
  const [a, b] = [createRandom(42), createRandom(42)];
  for (let count = 0; count < 100; count++) expect(a()).toBe(b());
});
