import { expect, test } from "bun:test";
import {
  candidatesOf,
  distributionOf,
  probabilitiesOf,
  randomLogits,
} from "../../../test/engines/small-distributions.ts";
import { forSeeds } from "../../../test/seeded.ts";
import { Candidates } from "./candidates.ts";
import { epsilonCutoff, etaCutoff } from "./cutoffs.ts";
import { createMirostat } from "./mirostat.ts";
import { smoothing } from "./smoothing.ts";
import { tailFree } from "./tail-free.ts";
import { dynamicTemperature, temperature } from "./temperature.ts";
import { minP, topA, topK, topNSigma, topP } from "./truncation.ts";
import { typical } from "./typical.ts";
import { xtc } from "./xtc.ts";

type Sampler = (candidates: Candidates) => void;
const P = [0.5, 0.25, 0.125, 0.0625, 0.0625];

/** What is left of some probabilities, to six places. */
function after(probabilities: readonly number[], sampler: Sampler): number[] {
  const candidates = candidatesOf(probabilities);
  sampler(candidates);
  return probabilitiesOf(candidates).map((p) => Math.round(p * 1e6) / 1e6);
}

test("a token that is adjusted twice in one go is adjusted once", () => {
  const lower = (logit: number): number => logit - 1;
  const twice = after(P, (c) => c.adjust([1, 1, 3], lower));
  expect(twice).toEqual(after(P, (c) => c.adjust([1, 3], lower)));
  const out = (): number => Number.NEGATIVE_INFINITY;
  expect(after([0.5, 0.3, 0.2], (c) => c.adjust([0, 0], out))).toEqual([0, 0.6, 0.4]);
  const kept = (c: Candidates): void => {
    c.adjust([0, 1, 1, 2], out);
    c.adjust([0], out);
  };
  expect(after([0.5, 0.3, 0.2], kept)).toEqual([0, 0.6, 0.4]);
});

test("temperature raises probabilities to the power of 1 / T", () => {
  expect(after([0.8, 0.2], (c) => temperature(c, 2))).toEqual([0.666667, 0.333333]);
  expect(after([0.8, 0.2], (c) => temperature(c, 0.5))).toEqual([0.941176, 0.058824]);
  expect(after([0.8, 0.2], (c) => temperature(c, 0))).toEqual([1, 0]);
});

test("dynamic temperature is at its maximum where all is equally likely, lower where little is open", () => {
  const half = Math.LN2 / Math.log(4);
  // Two of four equally likely: the entropy is ln 2, at most it would be ln 4.
  const nearlyTwo = [0.5 - 1e-9, 0.5 - 1e-9, 1e-9, 1e-9];
  const expected = 0.4 + (1.2 - 0.4) * half ** 2;
  const given = after(nearlyTwo, (c) => dynamicTemperature(c, 0.4, 1.2, 2));
  expect(given).toEqual(after(nearlyTwo, (c) => temperature(c, expected)));
  expect(after([0.25, 0.25, 0.25, 0.25], (c) => dynamicTemperature(c, 0.1, 9, 3))).toEqual([
    0.25, 0.25, 0.25, 0.25,
  ]);
  const certain = after([0.9, 0.1], (c) => dynamicTemperature(c, 0, 1, 1));
  const entropy = -0.9 * Math.log(0.9) - 0.1 * Math.log(0.1);
  expect(certain).toEqual(after([0.9, 0.1], (c) => temperature(c, entropy / Math.LN2)));
});

test("a token that a rescaling leaves no probability is no candidate any more", () => {
  const candidates = candidatesOf([0.6, 0.4]);
  candidates.rescale((below) => (below < 0 ? Number.NEGATIVE_INFINITY : below));
  expect(candidates.size).toBe(1);
});

test("top-nσ has the same deviation, however far below all others a token is put", () => {
  const kept = (bias: number): number => {
    const candidates = candidatesOf([0.4, 0.3, 0.2, 0.05, 0.05]);
    candidates.adjust([4], (logit) => logit + bias);
    candidates.dropImpossible();
    topNSigma(candidates, 1);
    return candidates.size;
  };
  expect(kept(-200)).toBe(kept(Number.NEGATIVE_INFINITY));
  expect(kept(-1e4)).toBe(kept(Number.NEGATIVE_INFINITY));
});

test("top-k keeps so many", () => {
  expect(after(P, (c) => topK(c, 2))).toEqual([0.666667, 0.333333, 0, 0, 0]);
});

test("top-p keeps the fewest that reach it, the one that does included", () => {
  expect(after(P, (c) => topP(c, 0.7))).toEqual([0.666667, 0.333333, 0, 0, 0]);
  expect(after(P, (c) => topP(c, 0.8))).toEqual([0.571429, 0.285714, 0.142857, 0, 0]);
  expect(after(P, (c) => topP(c, 0))).toEqual([1, 0, 0, 0, 0]);
});

test("min-p drops what is below a share of the likeliest", () => {
  expect(after(P, (c) => minP(c, 0.3))).toEqual([0.666667, 0.333333, 0, 0, 0]);
  expect(after(P, (c) => minP(c, 1))).toEqual([1, 0, 0, 0, 0]);
});

test("top-a drops what is below so many times the square of the likeliest", () => {
  // 0.4 · 0.5² = 0.1
  expect(after(P, (c) => topA(c, 0.4))).toEqual([0.571429, 0.285714, 0.142857, 0, 0]);
  expect(after(P, (c) => topA(c, 100))).toEqual([1, 0, 0, 0, 0]);
});

test("top-nσ drops what is more than n deviations of the logits below the highest", () => {
  // Logits 0 and -1 and -5: mean -2, σ = √(14 / 3) ≈ 2.16.
  const candidates = new Candidates(3);
  for (const [n, size] of [
    [0.4, 1],
    [0.5, 2],
    [2.3, 2],
    [2.4, 3],
  ] as const) {
    candidates.take(distributionOf([0, -1, -5]), null);
    topNSigma(candidates, n);
    expect([n, candidates.size]).toEqual([n, size]);
  }
});

test("tail-free sampling cuts where the share of the curvature is spent", () => {
  // First differences -0.25 -0.125 -0.0625 0; second ones 0.125 0.0625 0.0625: shares ½ ¼ ¼.
  expect(after(P, (c) => tailFree(c, 0.4))).toEqual([1, 0, 0, 0, 0]);
  expect(after(P, (c) => tailFree(c, 0.6))).toEqual([0.666667, 0.333333, 0, 0, 0]);
  expect(after(P, (c) => tailFree(c, 0.8))).toEqual([0.571429, 0.285714, 0.142857, 0, 0]);
});

test("tail-free sampling after a cut sees the curve fall to nothing there", () => {
  // ⅔ ⅓ 0 0 0: first differences -⅓ -⅓ 0 0; second ones 0 ⅓ 0, all of it at the second place.
  const twice: Sampler = (c) => {
    topK(c, 2);
    tailFree(c, 0.5);
  };
  expect(after(P, twice)).toEqual([0.666667, 0.333333, 0, 0, 0]);
});

test("typical sampling keeps what is nearest to the expected surprise, which may not be the likeliest", () => {
  // Entropy of 0.4 and four times 0.15: 1.505 nats. Surprises: 0.916, and 1.897 four times.
  const p = [0.4, 0.15, 0.15, 0.15, 0.15];
  expect(after(p, (c) => typical(c, 0.5))).toEqual([0, 0.25, 0.25, 0.25, 0.25]);
  expect(after(p, (c) => typical(c, 0.65))).toEqual(p);
  // Entropy of 0.6 0.3 0.1: 0.898. Surprises 0.511 1.204 2.303: the second is nearest.
  expect(after([0.6, 0.3, 0.1], (c) => typical(c, 0.2))).toEqual([0, 1, 0]);
  expect(after([0.6, 0.3, 0.1], (c) => typical(c, 0.5))).toEqual([0.666667, 0.333333, 0]);
});

test("cutoffs drop what is below a probability, eta's less where the model is uncertain", () => {
  expect(after(P, (c) => epsilonCutoff(c, 0.1))).toEqual([0.571429, 0.285714, 0.142857, 0, 0]);
  expect(after(P, (c) => epsilonCutoff(c, 0.9))).toEqual([1, 0, 0, 0, 0]);
  // Entropy 1.875 bits = 1.2997 nats: √0.2 · e^-1.2997 = 0.1219, which is below 0.2.
  expect(after(P, (c) => etaCutoff(c, 0.2))).toEqual([0.571429, 0.285714, 0.142857, 0, 0]);
  // √0.3 · e^-1.2997 = 0.1493.
  expect(after(P, (c) => etaCutoff(c, 0.3))).toEqual([0.666667, 0.333333, 0, 0, 0]);
});

test("smoothing turns a distance of d into -f·d², and with a curve into s·d³ - k·d²", () => {
  const candidates = new Candidates(3);
  const logits = (factor: number, curve: number): number[] => {
    candidates.take(distributionOf([0, -1, -2]), null);
    smoothing(candidates, factor, curve);
    return [...candidates.logits.slice(0, 3)];
  };
  expect(logits(0.5, 1)).toEqual([-0, -0.5, -2]);
  // k = 0.25, s = 0.25
  expect(logits(0.5, 2)).toEqual([-0, -0.5, -3]);
});

test("a curve above 3 can make another token the likeliest, and the order is right still", () => {
  const candidates = new Candidates(2);
  candidates.take(distributionOf([0, -0.1]), null);
  smoothing(candidates, 2, 5);
  // k = -2, s = 4: 4·(-0.001) + 2·0.01 = 0.016
  expect([...candidates.ids]).toEqual([1, 0]);
  expect(candidates.logits[0]).toBeCloseTo(0.016, 6);
});

test("XTC leaves out the top choices but the least of them, by its probability", () => {
  expect(after(P, (c) => xtc(c, 0.5, 0.1, () => 0.4))).toEqual([0, 0, 0.5, 0.25, 0.25]);
  expect(after(P, (c) => xtc(c, 0.5, 0.1, () => 0.5))).toEqual(P);
  expect(after(P, (c) => xtc(c, 1, 0.4, () => 0.9))).toEqual(P);
  expect(after(P, (c) => xtc(c, 1, 0.6, () => 0.9))).toEqual(P);
});

test("mirostat 2 cuts at a surprise of mu, and each error moves mu", () => {
  // mu is 2.02 bits, so that ½ and ¼ stay.
  const mirostat = createMirostat(2, 1.01, 0.5);
  const candidates = candidatesOf(P);
  mirostat.cut(candidates);
  expect(candidates.size).toBe(2);
  // A surprise of 2 bits is 0.99 too much: mu becomes 1.525, and only ½ stays.
  mirostat.correct(candidates, 1);
  candidates.take(distributionOf(P.map(Math.log)), null);
  mirostat.cut(candidates);
  expect(candidates.size).toBe(1);
  // One of 1 bit is 0.01 too little: mu becomes 1.53, and after 100 such tokens 2.025.
  for (let count = 0; count < 100; count++) {
    candidates.take(distributionOf(P.map(Math.log)), null);
    mirostat.cut(candidates);
    mirostat.correct(candidates, 0);
  }
  candidates.take(distributionOf(P.map(Math.log)), null);
  mirostat.cut(candidates);
  expect(candidates.size).toBe(2);
});

test("mirostat 1 cuts where Zipf's law has the surprise", () => {
  // p ∝ 1 / rank²: slope 2. k = √(1 · 2^4 / (1 - 100^-1)) = 4.02.
  const zipf = Array.from({ length: 100 }, (_, rank) => (rank + 1) ** -2);
  const candidates = candidatesOf(zipf);
  createMirostat(1, 2, 0.1).cut(candidates);
  expect(candidates.size).toBe(4);
});

test("a token that can't come is no candidate, and no sampler counts it", () => {
  const logits = [0, -1, -5, Number.NEGATIVE_INFINITY];
  for (const [sampler, size] of [
    [(c: Candidates) => topNSigma(c, 0.5), 2],
    [(c: Candidates) => smoothing(c, 0.5, 1), 3],
    [(c: Candidates) => typical(c, 0.99), 2],
  ] as const) {
    const candidates = new Candidates(4);
    candidates.take(distributionOf(logits), null);
    expect(candidates.size).toBe(3);
    sampler(candidates);
    expect(candidates.size).toBe(size);
    expect(probabilitiesOf(candidates).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
  }
});

const NEUTRAL: [name: string, sampler: Sampler][] = [
  ["temperature 1", (c) => temperature(c, 1)],
  ["dynamic temperature from 1 to 1", (c) => dynamicTemperature(c, 1, 1, 1)],
  ["top-k 0", (c) => topK(c, 0)],
  ["top-p 1", (c) => topP(c, 1)],
  ["min-p 0", (c) => minP(c, 0)],
  ["top-a 0", (c) => topA(c, 0)],
  ["top-nσ 0", (c) => topNSigma(c, 0)],
  ["tail-free 1", (c) => tailFree(c, 1)],
  ["typical 1", (c) => typical(c, 1)],
  ["epsilon cutoff 0", (c) => epsilonCutoff(c, 0)],
  ["eta cutoff 0", (c) => etaCutoff(c, 0)],
  ["smoothing 0", (c) => smoothing(c, 0, 2)],
  ["XTC of probability 0", (c) => xtc(c, 0, 0.1, () => 0)],
];

for (const [name, sampler] of NEUTRAL)
  test(`${name} changes nothing`, () => {
    expect(after(P, sampler)).toEqual(P);
  });

test("whatever the sampler: some token is left, none twice, the likeliest first, and all add up to one", () => {
  forSeeds(400, (random) => {
    const all: Sampler[] = [
      (c) => temperature(c, 3 * random.next()),
      (c) => dynamicTemperature(c, random.next(), 1 + random.next(), 3 * random.next()),
      (c) => topK(c, random.below(60)),
      (c) => topP(c, random.next()),
      (c) => minP(c, random.next()),
      (c) => topA(c, 20 * random.next()),
      (c) => topNSigma(c, 3 * random.next()),
      (c) => tailFree(c, random.next()),
      (c) => typical(c, random.next()),
      (c) => epsilonCutoff(c, random.next()),
      (c) => etaCutoff(c, random.next()),
      (c) => smoothing(c, 3 * random.next(), 1 + 4 * random.next()),
      (c) => xtc(c, 1, random.next(), random.next),
      (c) => createMirostat(1, 5 * random.next(), 0.1).cut(c),
      (c) => createMirostat(2, 5 * random.next(), 0.1).cut(c),
    ];
    const candidates = new Candidates(50);
    candidates.take(distributionOf(randomLogits(random, 1 + random.below(50))), null);
    for (let count = 0; count < 3; count++) {
      all[random.below(all.length)]?.(candidates);
      const { ids, logits, size } = candidates;
      expect(size).toBeGreaterThan(0);
      expect(new Set(ids.slice(0, size)).size).toBe(size);
      for (let at = 1; at < size; at++)
        expect(logits[at] ?? 0).toBeLessThanOrEqual(logits[at - 1] ?? 0);
      expect(probabilitiesOf(candidates).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
    }
  });
});
