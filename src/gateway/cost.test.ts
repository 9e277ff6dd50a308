import { describe, expect, test } from "bun:test";
import type { Price } from "../types.ts";
import { freshMeter } from "./call.ts";
import { chargeNanoUsd, costNanoUsd, type Ended, usedBy } from "./cost.ts";

const free: Price = { prompt: 0, cached: null, completion: 0, request: 0, image: null };
const used = (promptTokens: number, completionTokens: number, cachedTokens = 0) => ({
  promptTokens,
  completionTokens,
  cachedTokens,
});

test("a call costs its tokens and itself, in whole billionths of a dollar", () => {
  const price = { ...free, prompt: 1e-6, completion: 2.5e-6, request: 0.001 };
  expect(costNanoUsd(price, used(7, 3))).toBe(7_000 + 7_500 + 1_000_000);
  expect(costNanoUsd({ ...free, prompt: 6e-8 }, used(1, 9))).toBe(60);
});

test("what nobody knows the price of has no cost, which is not the same as none", () => {
  expect(costNanoUsd(null, used(7, 3))).toBeNull();
  expect(costNanoUsd(free, used(7, 3))).toBe(0);
});

test("cached tokens have a price of their own, be it nothing, and else that of the others", () => {
  const price = { ...free, prompt: 1e-6, cached: 1e-7 };
  expect(costNanoUsd(price, used(10, 0, 4))).toBe(6_000 + 400);
  expect(costNanoUsd({ ...price, cached: 0 }, used(10, 0, 4))).toBe(6_000);
  expect(costNanoUsd({ ...price, cached: null }, used(10, 0, 4))).toBe(10_000);
});

test("more cached tokens than the prompt has are no discount on others", () => {
  const price = { ...free, prompt: 1e-6, cached: 0, completion: 1e-6 };
  expect(costNanoUsd(price, used(10, 5, 99))).toBe(5_000);
});

test("images have a price of their own, and without one their cost is not known", () => {
  const price = { ...free, image: 0.002 };
  expect(costNanoUsd(price, { ...used(0, 0), images: 3 })).toBe(6_000_000);
  expect(costNanoUsd(free, { ...used(0, 0), images: 3 })).toBeNull();
});

describe("what a call counts as having used", () => {
  const most = { promptTokens: 300, completionTokens: 500 };
  const meter = { ...freshMeter(), promptTokens: 100, completionTokens: 0, unseen: true };

  test("is the most it can be, when its client left an answer of which nothing was seen", () => {
    expect(usedBy("cancelled", meter, most)).toEqual({ ...most, cachedTokens: 0, images: 0 });
  });

  test("is what was counted, when it was seen, or when it ended in another way", () => {
    const seen = { ...meter, completionTokens: 7, cachedTokens: 20, unseen: false };
    expect(usedBy("cancelled", seen, most)).toMatchObject(used(100, 7, 20));
    expect(usedBy("completed", meter, most)).toMatchObject(used(100, 0));
    expect(usedBy("failed", meter, most)).toMatchObject(used(100, 0));
  });

  test("is no image that it was sent, and that was read", () => {
    const price = { ...free, prompt: 1e-6 };
    const seen = usedBy("completed", { ...meter, imagesRead: 2 }, most);
    expect(costNanoUsd(price, seen)).toBe(100_000);
  });

  test("is its images, however it ended", () => {
    for (const status of ["completed", "cancelled"] as const)
      expect(usedBy(status, { ...meter, images: 1 }, most).images).toBe(1);
  });

  test("is no less than what is known, where nothing bounds it", () => {
    const nothing = { promptTokens: 0, completionTokens: 0 };
    expect(usedBy("cancelled", meter, nothing)).toMatchObject(used(100, 0));
  });
});

describe("the charge", () => {
  const ended: Ended = {
    status: "completed",
    price: { ...free, prompt: 1e-6, completion: 2e-6, request: 0.001 },
    used: used(10, 5),
    answered: true,
    reported: null,
    resumed: false,
  };
  const priced = 10_000 + 10_000 + 1_000_000;

  test.each<[string, Partial<Ended>, number | null]>([
    ["is by the price where the provider says nothing", {}, priced],
    ["is what the provider says it charged", { reported: 0.5 }, 500_000_000],
    ["is nothing where the provider says zero", { reported: 0 }, 0],
    ["is the provider's word where no price is known", { price: null, reported: 0.5 }, 500_000_000],
    ["is unknown where nobody says anything", { price: null }, null],
    ["of an answer that several made is by the price", { resumed: true, reported: 0.5 }, priced],
    ["of a failure is nothing", { status: "failed", reported: 0.5 }, 0],
    ["of a client that left is for what was made until then", { status: "cancelled" }, priced],
    ["of one that left before anything was done is nothing", { answered: false, price: null }, 0],
  ])("%s", (_case, change, nano) => {
    expect(chargeNanoUsd({ ...ended, ...change })).toBe(nano);
  });
});
