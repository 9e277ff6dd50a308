import { describe, expect, test } from "bun:test";
import { foresee, LONG_BYTES, SHORT_BYTES } from "./foresee.ts";
import { CannotEnlarge, CannotWrite, TooMuchWork } from "./plan.ts";

const heavy = { scales: [2, 3, 4, 8], weights: () => 7_300_000 };
const quick = { scales: [2, 3, 4], weights: () => 700_000 };
const times = (factor: number) => ({ by: "factor", factor }) as const;
const network = (factor: number) =>
  ({ wish: times(factor), method: "network", blend: null, type: "image/png" }) as const;

describe("long is", () => {
  test("what takes a network more than about twenty seconds, and nothing shorter", () => {
    expect(foresee({ width: 400, height: 400 }, network(4), heavy).isLong).toBe(false);
    expect(foresee({ width: 500, height: 500 }, network(4), heavy).isLong).toBe(true);
    expect(foresee({ width: 500, height: 500 }, network(4), quick).isLong).toBe(false);
  });

  test("what takes much memory, however quick it is", () => {
    const lanczos = { ...network(2), method: "lanczos" } as const;
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

test("two large WebP images are never written at once, two JPEGs are", () => {
  const large = { width: 1300, height: 1300 };
  const lanczos = { ...network(4), method: "lanczos" } as const;
  const of = (type: "image/webp" | "image/jpeg") => foresee(large, { ...lanczos, type }, quick);
  expect(2 * of("image/webp").bytes).toBeGreaterThan(LONG_BYTES);
  expect(2 * of("image/jpeg").bytes).toBeLessThan(LONG_BYTES);
});

test("what can't be done is refused before a pixel is decoded", () => {
  expect(() => foresee({ width: 4000, height: 4000 }, network(2), quick)).toThrow(CannotEnlarge);
  expect(() => foresee({ width: 2000, height: 1500 }, network(2), heavy)).toThrow(TooMuchWork);
});

describe("a side that a type of file can't have", () => {
  const lanczos = (factor: number) => ({ ...network(factor), method: "lanczos" }) as const;
  const wide = { width: 4200, height: 30 };

  test.each([
    ["image/webp", wide, 4, "16800 pixels wide, and webp has at most 16383 a side"],
    ["image/webp", { width: 30, height: 4200 }, 4, "16800 pixels high"],
    ["image/jpeg", { width: 9000, height: 45 }, 8, "72000 pixels wide, and jpeg has at most 65500"],
  ] as const)("is refused before any work: %s", (type, size, factor, words) => {
    expect(() => foresee(size, { ...lanczos(factor), type }, quick)).toThrow(CannotWrite);
    expect(() => foresee(size, { ...lanczos(factor), type }, quick)).toThrow(words);
  });

  test("is that of what is kept: a png has it, and so has what is cut or stays as it is", () => {
    const webp = { ...lanczos(4), type: "image/webp" } as const;
    const cut = { by: "size", width: 8000, height: 120, crop: true } as const;
    expect(foresee(wide, lanczos(4), quick).plan.kept.width).toBe(16_800);
    expect(foresee(wide, { ...webp, wish: cut }, quick).plan.kept.width).toBe(8_000);
    expect(foresee(wide, { ...webp, method: "none" }, quick).plan.kept).toEqual(wide);
  });
});

test("what is left as it is is never too large for a size that it is not made", () => {
  const none = { ...network(8), method: "none" } as const;
  const size = { width: 4000, height: 4000 };
  expect(foresee(size, none, quick).plan).toEqual({ enlarged: size, kept: size, factor: 1 });
});
