import { describe, expect, test } from "bun:test";
import {
  CannotEnlarge,
  CannotWrite,
  chainOf,
  planOf,
  refuseFile,
  refuseWork,
  TooMuchWork,
} from "./plan.ts";

const small = { width: 100, height: 50 };

describe("an image becomes", () => {
  test("so many times as wide and high", () => {
    const plan = planOf(small, { by: "factor", factor: 2.5 });
    expect(plan).toMatchObject({ enlarged: { width: 250, height: 125 }, factor: 2.5 });
    expect(plan.kept).toEqual(plan.enlarged);
  });

  test("large enough to cover a size, and is cut to it where that is asked", () => {
    const size = { by: "size", width: 200, height: 200 } as const;
    const covering = { width: 400, height: 200 };
    expect(planOf(small, { ...size, crop: false })).toMatchObject({
      enlarged: covering,
      kept: covering,
    });
    expect(planOf(small, { ...size, crop: true })).toMatchObject({
      enlarged: covering,
      kept: { width: 200, height: 200 },
    });
  });

  test("nothing of which there is no end", () => {
    expect(() => planOf(small, { by: "factor", factor: 9 })).toThrow(CannotEnlarge);
    expect(() => planOf({ width: 4096, height: 2100 }, { by: "factor", factor: 2 })).toThrow(
      "8192 × 4200, and at most 33.5 million pixels are made",
    );
    expect(() =>
      planOf({ width: 1, height: 1 }, { by: "size", width: 9, height: 1, crop: true }),
    ).toThrow("9.0 times");
  });
});

test.each([
  [1, []],
  [0.5, []],
  [1.5, [2]],
  [3, [3]],
  [4, [4]],
  [5, [3, 2]],
  [8, [4, 2]],
])("%d times is done by the networks %p", (factor, chain) => {
  expect(chainOf(small, factor, [2, 3, 4])).toEqual(chain);
});

test("one network that suffices is used before two", () => {
  expect(chainOf(small, 5, [2, 3, 4, 8])).toEqual([8]);
});

test("what a network makes on the way has its bound too", () => {
  expect(() => chainOf({ width: 1500, height: 1500 }, 4.5, [2, 4, 8])).toThrow("8 times first");
});

describe("no image keeps a model from everybody for long", () => {
  const heavy = () => 7_300_000;
  const quick = () => 700_000;
  const photograph = { width: 1920, height: 1080 };

  test("a heavy network does a photograph, and refuses a larger one with what it takes", () => {
    expect(() => refuseWork(photograph, [[4]], heavy)).not.toThrow();
    const large = { width: 4096, height: 4096 };
    expect(() => refuseWork(large, [[2]], heavy)).toThrow(TooMuchWork);
    expect(() => refuseWork(large, [[2]], heavy)).toThrow("at most 2.1 million pixels");
    expect(() => refuseWork(large, [[2]], quick)).not.toThrow();
  });

  test("every network counts with the pixels it is given, and so do two parts", () => {
    expect(() => refuseWork(photograph, [[4], [4]], heavy)).toThrow("1.0 million pixels");
    expect(() => refuseWork(photograph, [[4, 2]], quick)).toThrow("1.3 million pixels");
  });

  test("kernels are no work of networks", () => {
    expect(() => refuseWork({ width: 4096, height: 4096 }, [], heavy)).not.toThrow();
  });
});

test("a file that is too large to be sent is refused, and what is smaller is named", () => {
  expect(() => refuseFile(90_000_000, "image/png")).not.toThrow();
  expect(() => refuseFile(90_000_001, "image/png")).toThrow(CannotWrite);
  expect(() => refuseFile(129_300_000, "image/png")).toThrow(
    "as png the file has 130 MB, and at most 90 are sent; ask for jpeg or webp, or for less",
  );
});
