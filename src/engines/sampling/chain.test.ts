import { expect, test } from "bun:test";
import { referenceDistribution, softmax } from "../../../test/engines/reference-sampler.ts";
import {
  distributionOf,
  probabilitiesOf,
  randomLogits,
  samplingWith,
} from "../../../test/engines/small-distributions.ts";
import { forSeeds, type Seeded } from "../../../test/seeded.ts";
import { GuideError } from "../guided/guide-error.ts";
import type { Sampling } from "../protocol.ts";
import { Candidates } from "./candidates.ts";
import { adjustments, createChain, needsLogits, shaping, type VocabularyFacts } from "./chain.ts";
import { createMirostat } from "./mirostat.ts";

const SIZE = 40;
const NO_HISTORY = { prompt: [], generated: [], completionTokens: 0 };

const vocabulary = (size: number, endOfGeneration: readonly number[] = []): VocabularyFacts => ({
  size,
  endOfGeneration,
  bytes: (token) => Uint8Array.of(token),
});

/** Samplers at random; about a third of them are on. */
function someSampling(random: Seeded): Sampling {
  const on = <T>(value: T, off: T): T => (random.chance(0.33) ? value : off);
  return samplingWith({
    temperature: on(0.3 + 2 * random.next(), 1),
    dynamicTemperature: on({ min: random.next(), max: 1 + random.next(), exponent: 1.5 }, null),
    topP: on(random.next(), 1),
    topK: on(1 + random.below(SIZE), 0),
    minP: on(random.next() * 0.3, 0),
    topA: on(random.next(), 0),
    tailFree: on(random.next(), 1),
    typicalP: on(random.next(), 1),
    epsilonCutoff: on(random.next() * 0.05, 0),
    etaCutoff: on(random.next() * 0.05, 0),
    topNSigma: on(random.next() * 3, 0),
    smoothing: on({ factor: random.next(), curve: 1 + 4 * random.next() }, null),
    mirostat: random.chance(0.15)
      ? { version: random.chance(0.5) ? 1 : 2, tau: 1 + 2 * random.next(), eta: 0.1 }
      : null,
    presencePenalty: on(random.next() * 4 - 2, 0),
    frequencyPenalty: on(random.next() * 4 - 2, 0),
    repetitionPenalty: on(0.7 + random.next(), 1),
    noRepeatNgramSize: on(1 + random.below(3), 0),
    dry: on(
      {
        multiplier: random.next() * 2,
        base: 1.75,
        allowedLength: 1 + random.below(3),
        range: on(5, null),
        sequenceBreakers: on([String.fromCharCode(3)], []),
      },
      null,
    ),
    logitBias: on([[random.below(SIZE), random.next() * 10 - 5] as const], []),
  });
}

test("any samplers together give the distribution that their formulas define, in Aphrodite's order", () => {
  const candidates = new Candidates(SIZE);
  forSeeds(1500, (random) => {
    const logits = randomLogits(random, SIZE);
    const sampling = someSampling(random);
    const words = (count: number): number[] =>
      Array.from({ length: count }, () => random.below(random.chance(0.7) ? 5 : SIZE));
    const history = { prompt: words(12), generated: words(8), completionTokens: 8 };
    candidates.take(distributionOf(logits), null);
    for (const step of adjustments(sampling, vocabulary(SIZE))) step(candidates, history);
    const { mirostat } = sampling;
    for (const step of shaping(sampling, mirostat === null, random.next)) step(candidates, history);
    if (mirostat !== null)
      createMirostat(mirostat.version, mirostat.tau, mirostat.eta).cut(candidates);
    const breaks = (token: number): boolean =>
      token === 3 && (sampling.dry?.sequenceBreakers.length ?? 0) > 0;
    const expected = referenceDistribution(logits, sampling, history, breaks);
    const given = probabilitiesOf(candidates);
    expect(given.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
    given.forEach((p, token) => {
      expect([token, p]).toEqual([token, expect.closeTo(expected[token] ?? 0, 4)]);
    });
  });
});

test("tokens come as often as the distribution says", () => {
  const logits = [2, 1, 0.5, 0, -1];
  const sampling = samplingWith({ temperature: 1.3, xtc: { probability: 0.4, threshold: 0.1 } });
  const expected = referenceDistribution(logits, sampling, { prompt: [], generated: [] });
  const counts = [0, 0, 0, 0, 0];
  const distribution = distributionOf(logits);
  const room = new Candidates(logits.length);
  const draws = 20_000;
  for (let seed = 0; seed < draws; seed++) {
    const chain = createChain({ ...sampling, seed }, vocabulary(logits.length), room);
    const { token } = chain.next(distribution, NO_HISTORY, null);
    counts[token] = (counts[token] ?? 0) + 1;
  }
  const chiSquare = counts.reduce((sum, count, token) => {
    const wanted = draws * (expected[token] ?? 0);
    return sum + (count - wanted) ** 2 / wanted;
  }, 0);
  // 4 degrees of freedom, 1 in 10,000.
  expect(chiSquare).toBeLessThan(23.5);
});

test("the same seed chooses the same tokens, another one others, and the distribution stays as it is", () => {
  forSeeds(20, (random) => {
    const distribution = distributionOf(randomLogits(random, SIZE).map((x) => x / 4));
    const before = distribution.logits.slice();
    const text = (seed: number): number[] => {
      const chain = createChain(samplingWith({ temperature: 1.2, seed }), vocabulary(SIZE));
      return Array.from({ length: 30 }, () => chain.next(distribution, NO_HISTORY, null).token);
    };
    expect(text(random.seed)).toEqual(text(random.seed));
    expect(text(random.seed)).not.toEqual(text(random.seed + 1));
    expect(distribution.logits).toEqual(before);
  });
});

test("temperature 0 takes the likeliest token, after biases, bans and penalties and before all else", () => {
  const logits = [3, 2.5, 2, 1];
  const greedy = (fields: Partial<Sampling>, generated: readonly number[] = []): number =>
    createChain(samplingWith({ temperature: 0, ...fields }), vocabulary(4)).next(
      distributionOf(logits),
      { ...NO_HISTORY, generated },
      null,
    ).token;
  expect(greedy({})).toBe(0);
  expect(greedy({ logitBias: [[3, 5]] })).toBe(3);
  expect(greedy({ presencePenalty: 2 }, [0])).toBe(1);
  expect(greedy({ repetitionPenalty: 3 }, [0, 1])).toBe(2);
  const random = {
    xtc: { probability: 1, threshold: 0.01 },
    typicalP: 0.1,
    mirostat: { version: 2, tau: 3, eta: 0.1 },
    dynamicTemperature: { min: 1, max: 9, exponent: 1 },
  } as const;
  expect(greedy(random)).toBe(0);
});

test("only what is allowed comes, whatever the samplers say", () => {
  const allowed = new Uint32Array(2);
  allowed[1] = 1 << (35 & 31);
  forSeeds(100, (random) => {
    const logits = randomLogits(random, SIZE);
    const chain = createChain(someSampling(random), vocabulary(SIZE));
    expect(chain.next(distributionOf(logits), NO_HISTORY, allowed).token).toBe(35);
  });
  const chain = createChain(samplingWith(), vocabulary(SIZE));
  const none = new Uint32Array(2);
  expect(() => chain.next(distributionOf([1, 2]), NO_HISTORY, none)).toThrow(GuideError);
});

test("no end comes before min_tokens, none at all with ignore_eos, unless nothing else may come", () => {
  const logits = [9, 8, 1, 0];
  const token = (fields: Partial<Sampling>, completionTokens: number, mask = 0b1111): number =>
    createChain(samplingWith({ temperature: 0, ...fields }), vocabulary(4, [0])).next(
      distributionOf(logits),
      { ...NO_HISTORY, completionTokens },
      Uint32Array.of(mask),
    ).token;
  expect(token({}, 0)).toBe(0);
  expect(token({ minTokens: 3 }, 2)).toBe(1);
  expect(token({ minTokens: 3, stopTokens: [1] }, 2)).toBe(2);
  expect(token({ minTokens: 3, stopTokens: [1] }, 3)).toBe(0);
  expect(token({ ignoreEndOfText: true }, 99)).toBe(1);
  expect(token({ ignoreEndOfText: true }, 99, 0b0001)).toBe(0);
});

test("an end token that is a stop token too, or is named twice, takes no other token's place", () => {
  const distribution = distributionOf([3, 2.5, 2, 1.5, 1, 0.5]);
  const come = (stopTokens: readonly number[]): number[] => {
    const sampling = samplingWith({ minTokens: 5, stopTokens, temperature: 0.9 });
    const seen = new Set<number>();
    for (let seed = 0; seed < 500; seed++) {
      const chain = createChain({ ...sampling, seed }, vocabulary(6, [2]));
      seen.add(chain.next(distribution, NO_HISTORY, null).token);
    }
    return [...seen].sort();
  };
  expect(come([])).toEqual([0, 1, 3, 4, 5]);
  expect(come([2])).toEqual([0, 1, 3, 4, 5]);
  expect(come([3, 3])).toEqual([0, 1, 4, 5]);
});

test("what DRY forbids never comes, whatever reshapes the distribution after it", () => {
  const size = 1000;
  const distribution = distributionOf(Array.from({ length: size }, (_, rank) => -0.02 * rank));
  const phrase = Array.from({ length: 170 }, (_, at) => at + 10);
  const history = { ...NO_HISTORY, prompt: [...phrase, 5, ...phrase] };
  const dry = { multiplier: 0.8, base: 1.75, allowedLength: 2, range: null, sequenceBreakers: [] };
  const shapes: Partial<Sampling>[] = [
    {},
    { smoothing: { factor: 0.2, curve: 1 } },
    { smoothing: { factor: 100, curve: 100 } },
    { topNSigma: 1 },
    { dynamicTemperature: { min: 0, max: 0.5, exponent: 0 }, typicalP: 0.9 },
    { mirostat: { version: 1, tau: 5, eta: 0.1 } },
  ];
  for (const shape of shapes) {
    const plain = new Set<number>();
    const come = new Set<number>();
    for (let seed = 0; seed < 100; seed++) {
      const sampling = samplingWith({ temperature: 0.5, ...shape, seed });
      plain.add(createChain(sampling, vocabulary(size)).next(distribution, history, null).token);
      const chain = createChain({ ...sampling, dry }, vocabulary(size));
      come.add(chain.next(distribution, history, null).token);
    }
    // The phrase would go on with 5; all that comes is what could come without DRY.
    expect([shape, come.has(5)]).toEqual([shape, false]);
    expect(Math.max(...come)).toBeLessThanOrEqual(Math.max(...plain) + 60);
  }
});

test("a distribution that isn't one ends the answer, and chooses nothing", () => {
  const broken = distributionOf([2, 1, 0]);
  broken.logits[0] = Number.NaN;
  const chain = createChain(samplingWith(), vocabulary(3));
  expect(() => chain.next(broken, NO_HISTORY, null)).toThrow("no probabilities");
});

test("mirostat comes nearer to its target with every token", () => {
  forSeeds(4, (random) => {
    for (const version of [1, 2] as const) {
      // As words are: by Zipf's law.
      const logits = Array.from({ length: 200 }, (_, rank) => -1.1 * Math.log(rank + 1));
      const tau = 3;
      const sampling = samplingWith({
        mirostat: { version, tau, eta: 0.2 },
        seed: random.seed,
      });
      const chain = createChain(sampling, vocabulary(200));
      const own = softmax(logits);
      const surprises = Array.from({ length: 600 }, () => {
        const { token } = chain.next(distributionOf(logits), NO_HISTORY, null);
        return -Math.log2(own[token] ?? 0);
      });
      const mean = surprises.slice(100).reduce((a, b) => a + b, 0) / 500;
      expect(mean).toBeGreaterThan(tau - 0.35);
      expect(mean).toBeLessThan(tau + 0.35);
    }
  });
});

test("only the repetition penalty asks for logits in full: all else is the same with a constant added", () => {
  forSeeds(200, (random) => {
    const sampling = { ...someSampling(random), repetitionPenalty: 1 };
    expect(needsLogits(sampling)).toBe(false);
    const logits = randomLogits(random, SIZE);
    const history = { prompt: [1, 2, 1], generated: [2, 1], completionTokens: 2 };
    const shifted = logits.map((x) => x - 8);
    const next = (of: readonly number[]): number =>
      createChain({ ...sampling, seed: random.seed }, vocabulary(SIZE)).next(
        distributionOf(of),
        history,
        null,
      ).token;
    expect(next(shifted)).toBe(next(logits));
  });
  expect(needsLogits(samplingWith({ repetitionPenalty: 1.1 }))).toBe(true);
});
