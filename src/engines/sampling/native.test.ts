import { expect, test } from "bun:test";
import { referenceDistribution, softmax } from "../../../test/engines/reference-sampler.ts";
import { randomLogits, samplingWith } from "../../../test/engines/small-distributions.ts";
import { forSeeds } from "../../../test/seeded.ts";
import type { Sampling } from "../protocol.ts";
import { isNative, nativeMinP, tokensNeeded } from "./native.ts";

/**
 * The library's chain with the options that `src/engines/llama/sampling.ts` gives it, in its order:
 * biases, penalties over one list, top-k, top-p, min-p, and the temperature last.
 */
function nativeDistribution(
  logits: readonly number[],
  sampling: Sampling,
  {
    prompt,
    generated,
  }: { readonly prompt: readonly number[]; readonly generated: readonly number[] },
): number[] {
  const { repetitionPenalty: repetition, temperature } = sampling;
  const punished = repetition === 1 ? generated : [...prompt, ...generated];
  const biases = new Map(sampling.logitBias);
  let l = logits.map((x, token) => {
    const biased = x + (biases.get(token) ?? 0);
    const count = punished.filter((each) => each === token).length;
    if (count === 0) return biased;
    const scaled = biased <= 0 ? biased * repetition : biased / repetition;
    return scaled - count * sampling.frequencyPenalty - sampling.presencePenalty;
  });
  const best = l.indexOf(Math.max(...l));
  if (temperature === 0) return l.map((_, token) => (token === best ? 1 : 0));
  const sorted = l.map((_, token) => token).sort((a, b) => (l[b] ?? 0) - (l[a] ?? 0));
  const kept = sampling.topK > 0 ? sorted.slice(0, sampling.topK) : sorted;
  const p = softmax(kept.map((token) => l[token] ?? 0));
  let sum = 0;
  const reached = p.findIndex((each) => {
    sum += each;
    return sum >= sampling.topP;
  });
  const nucleus = sampling.topP < 1 && reached !== -1 ? kept.slice(0, reached + 1) : kept;
  const share = nativeMinP(sampling);
  const lowest = (l[best] ?? 0) + Math.log(share);
  const left = new Set(nucleus.filter((token) => share <= 0 || (l[token] ?? 0) >= lowest));
  l = l.map((x, token) => (left.has(token) ? x / temperature : Number.NEGATIVE_INFINITY));
  return softmax(l);
}

test("where the library's chain is taken, it gives the distribution that is defined", () => {
  let taken = 0;
  forSeeds(3000, (random) => {
    const on = <T>(value: T, off: T): T => (random.chance(0.4) ? value : off);
    const sampling = samplingWith({
      temperature: on(on(0, 0.3 + 2 * random.next()), 1),
      topP: on(random.next(), 1),
      topK: on(1 + random.below(30), 0),
      minP: on(random.next() * 0.5, 0),
      presencePenalty: on(random.next() * 4 - 2, 0),
      frequencyPenalty: on(random.next() * 4 - 2, 0),
      repetitionPenalty: on(0.7 + random.next(), 1),
      logitBias: on([[random.below(30), random.next() * 10 - 5] as const], []),
    });
    if (!isNative(sampling)) return;
    taken++;
    const logits = randomLogits(random, 30);
    const words = (): number[] => Array.from({ length: 6 }, () => random.below(8));
    const history = { prompt: words(), generated: words() };
    const expected = referenceDistribution(logits, sampling, history);
    nativeDistribution(logits, sampling, history).forEach((p, token) => {
      expect([token, p]).toEqual([token, expect.closeTo(expected[token] ?? 0, 9)]);
    });
  });
  expect(taken).toBeGreaterThan(1000);
});

test("what is common is native, and what isn't the same is not", () => {
  const native: Partial<Sampling>[] = [
    {},
    { temperature: 0 },
    { temperature: 0.7 },
    { temperature: 0.7, topK: 40, minP: 0.05 },
    { topP: 0.9, topK: 40, minP: 0.05 },
    { temperature: 0, topP: 0.5, typicalP: 0.5, xtc: { probability: 1, threshold: 0.1 } },
    { repetitionPenalty: 1.1 },
    { presencePenalty: 1, frequencyPenalty: 1 },
    { logitBias: [[1, 5]], minTokens: 4, ignoreEndOfText: true, stopTokens: [3] },
  ];
  for (const fields of native)
    expect([fields, isNative(samplingWith(fields))]).toEqual([fields, true]);
  const own: Partial<Sampling>[] = [
    { temperature: 0.7, topP: 0.9 },
    { repetitionPenalty: 1.1, presencePenalty: 1 },
    { temperature: 0, repetitionPenalty: 1.1, frequencyPenalty: 1 },
    { xtc: { probability: 0.5, threshold: 0.1 } },
    { temperature: 0, noRepeatNgramSize: 2 },
    { temperature: 0, allowedTokens: [1] },
    { topA: 0.1 },
    { tailFree: 0.9 },
    { typicalP: 0.9 },
    { epsilonCutoff: 0.1 },
    { etaCutoff: 0.1 },
    { topNSigma: 1 },
    { smoothing: { factor: 1, curve: 1 } },
    { mirostat: { version: 2, tau: 5, eta: 0.1 } },
    { dynamicTemperature: { min: 0, max: 1, exponent: 1 } },
  ];
  for (const fields of own)
    expect([fields, isNative(samplingWith(fields))]).toEqual([fields, false]);
});

test("top-p before the temperature keeps other tokens than after it", () => {
  const logits = [2, 1, 0, -1];
  const sampling = samplingWith({ temperature: 2, topP: 0.6 });
  const history = { prompt: [], generated: [] };
  const count = (p: readonly number[]): number => p.filter((each) => each > 0).length;
  expect(count(referenceDistribution(logits, sampling, history))).toBe(2);
  expect(count(nativeDistribution(logits, sampling, history))).toBe(1);
});

test("where the likeliest tokens are all that is needed, the others change nothing", () => {
  let taken = 0;
  forSeeds(1000, (random) => {
    const on = <T>(value: T, off: T): T => (random.chance(0.4) ? value : off);
    const sampling = samplingWith({
      temperature: on(0.3 + 2 * random.next(), 1),
      topK: 1 + random.below(29),
      topP: on(random.next(), 1),
      topA: on(random.next(), 0),
      minP: on(random.next() * 0.3, 0),
      tailFree: on(random.next(), 1),
      typicalP: on(random.next(), 1),
      etaCutoff: on(random.next() * 0.05, 0),
      smoothing: on({ factor: random.next(), curve: 2 }, null),
      topNSigma: random.chance(0.1) ? 1 : 0,
      presencePenalty: random.chance(0.1) ? 1 : 0,
    });
    const needed = tokensNeeded(sampling);
    if (needed === 0) return;
    taken++;
    const logits = randomLogits(random, 30);
    const lowest = logits.toSorted((a, b) => b - a)[needed - 1] ?? 0;
    const cut = logits.map((x) => (x >= lowest ? x : Number.NEGATIVE_INFINITY));
    const history = { prompt: [1, 2], generated: [3] };
    const whole = referenceDistribution(logits, sampling, history);
    referenceDistribution(cut, sampling, history).forEach((p, token) => {
      expect([token, p]).toEqual([token, expect.closeTo(whole[token] ?? 0, 9)]);
    });
  });
  expect(taken).toBeGreaterThan(500);
  const whole: Partial<Sampling>[] = [
    { dynamicTemperature: { min: 0, max: 1, exponent: 1 } },
    { mirostat: { version: 2, tau: 5, eta: 0.1 } },
    { logitBias: [[1, 1]] },
    { ignoreEndOfText: true },
    { minTokens: 1 },
    { noRepeatNgramSize: 2 },
    { repetitionPenalty: 1.1 },
  ];
  for (const fields of whole)
    expect([fields, tokensNeeded(samplingWith({ topK: 5, ...fields }))]).toEqual([fields, 0]);
});
