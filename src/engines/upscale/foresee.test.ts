import { describe, expect, test } from "bun:test";
import { foresee, LONG_BYTES, SHORT_BYTES } from "./foresee.ts";
import { CannotEnlarge, TooMuchWork } from "./plan.ts";

const heavy = { scales: [2, 3, 4, 8], weights: () => 7_300_000 };
const quick = { scales: [2, 3, 4], weights: () => 700_000 };
const times = (factor: number) => ({ by: "factor", factor }) as const;
const network = (factor: number) =>
  ({ wish: times(factor), method: "network", blend: null }) as const;

describe("long is", () => {
  test("what takes a network more than about twenty seconds, and nothing shorter", () => {
    expect(foresee({ width: 400, height: 400 }, network(4), heavy).isLong).toBe(false);
    expect(foresee({ width: 500, height: 500 }, network(4), heavy).isLong).toBe(true);
    expect(foresee({ width: 500, height: 500 }, network(4), quick).isLong).toBe(false);
  });

  test("what takes much memory, however quick it is", () => {
    const lanczos = { wish: times(2), method: "lanczos", blend: null } as const;
    expect(foresee({ width: 1000, height: 800 }, lanczos, heavy).isLong).toBe(false);
    expect(foresee({ width: 2800, height: 2800 }, lanczos, heavy).isLong).toBe(true);
    const none = { ...lanczos, method: "none", wish: times(1) } as const;
    expect(foresee({ width: 4000, height: 4000 }, none, heavy).isLong).toBe(true);
  });
});

test("the largest image takes about what there is for all long ones, a short one less than its share", () => {
  const blend = { method: "lanczos", visibility: 0.5 } as const;
  const largest = foresee({ width: 4090, height: 4090 }, { ...network(1.4), blend }, quick);
  expect(largest.bytes / LONG_BYTES).toBeWithin(0.8, 1.2);
  const { bytes, isLong } = foresee({ width: 400, height: 400 }, network(4), heavy);
  expect(isLong).toBe(false);
  expect(bytes).toBeLessThan(SHORT_BYTES);
});

test("what can't be done is refused before a pixel is decoded", () => {
  expect(() => foresee({ width: 4000, height: 4000 }, network(2), quick)).toThrow(CannotEnlarge);
  expect(() => foresee({ width: 2000, height: 1500 }, network(2), heavy)).toThrow(TooMuchWork);
});
