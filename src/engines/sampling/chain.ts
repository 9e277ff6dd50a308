import type { Sampling } from "../protocol.ts";
import { Candidates } from "./candidates.ts";
import { epsilonCutoff, etaCutoff } from "./cutoffs.ts";
import type { Distribution } from "./distribution.ts";
import { dry } from "./dry.ts";
import { heldBack } from "./endings.ts";
import { createMirostat } from "./mirostat.ts";
import { noRepeatNgram } from "./no-repeat-ngram.ts";
import { countPenalties, repetitionPenalty } from "./penalties.ts";
import { createRandom, type Random } from "./random.ts";
import { lastTokens, type SamplerHistory, SeenTokens } from "./seen-tokens.ts";
import { SequenceBreakers } from "./sequence-breakers.ts";
import { smoothing } from "./smoothing.ts";
import { tailFree } from "./tail-free.ts";
import { dynamicTemperature, temperature } from "./temperature.ts";
import { minP, topA, topK, topNSigma, topP } from "./truncation.ts";
import { typical } from "./typical.ts";
import { xtc } from "./xtc.ts";

export type { SamplerHistory } from "./seen-tokens.ts";

/** What samplers ask about a model's tokens. */
export interface VocabularyFacts {
  readonly size: number;
  /** The tokens with which the model ends a text. */
  readonly endOfGeneration: readonly number[];
  /** The bytes a token adds to a text. */
  bytes(token: number): Uint8Array;
}

/** Chooses the tokens of one answer. */
export interface Chain {
  /**
   * The next token. The distribution is the model's own, and is left as it is: its logits are right
   * up to a constant, or in full where `needsLogits` says so. `allowed` has a bit for each token that
   * may come (token t is bit `t & 31` of word `t >>> 5`), null for all of them. Throws where it leaves
   * none of the distribution's.
   */
  next(distribution: Distribution, history: SamplerHistory, allowed: Uint32Array | null): Choice;
}

export interface Choice {
  readonly token: number;
}

type Step = (candidates: Candidates, history: SamplerHistory) => void;

/** Whether the model's logits are asked for in full: only the repetition penalty tells a constant. */
export function needsLogits(sampling: Sampling): boolean {
  return sampling.repetitionPenalty !== 1;
}

/**
 * One answer's samplers in Aphrodite's order (`aphrodite/v1/sample/sampler.py`): what is allowed,
 * bans and biases, DRY, penalties, n-grams; then temperature, top-nσ, top-k, top-p, top-a, min-p, tail
 * free, eta and epsilon cutoff, typical, smoothing, XTC. Mirostat takes the place of all that come
 * after the temperature, as in llama.cpp. Temperature 0 takes the likeliest token of what precedes it.
 * Chains of one thread may share `candidates`: none keeps anything there between two tokens.
 */
export function createChain(
  sampling: Sampling,
  vocabulary: VocabularyFacts,
  candidates = new Candidates(vocabulary.size),
): Chain {
  const random = createRandom(sampling.seed);
  const adjust = adjustments(sampling, vocabulary);
  const greedy = sampling.temperature === 0;
  const { mirostat: target } = sampling;
  const mirostat =
    target === null || greedy ? null : createMirostat(target.version, target.tau, target.eta);
  const shape = greedy ? [] : shaping(sampling, mirostat === null, random);
  return {
    next: (distribution, history, allowed) => {
      candidates.take(distribution, allowed);
      for (const step of adjust) step(candidates, history);
      if (greedy) return { token: candidates.ids[0] ?? 0 };
      candidates.dropImpossible();
      for (const step of shape) step(candidates, history);
      mirostat?.cut(candidates);
      const place = draw(candidates, random());
      mirostat?.correct(candidates, place);
      return { token: candidates.ids[place] ?? 0 };
    },
  };
}

/** The place where the running sum of the probabilities passes `fraction`. Throws without a finite sum. */
function draw(candidates: Candidates, fraction: number): number {
  const whole = candidates.weigh();
  if (!Number.isFinite(whole) || whole <= 0) throw new Error("the samplers left no probabilities");
  const { weights, size } = candidates;
  let sum = 0;
  let last = 0;
  for (let at = 0; at < size; at++) {
    const weight = weights[at] ?? 0;
    sum += weight;
    if (sum > fraction * whole) return at;
    if (weight > 0) last = at;
  }
  return last;
}

/** What acts on single tokens: before the temperature, and also where the likeliest token is taken. */
export function adjustments(sampling: Sampling, vocabulary: VocabularyFacts): Step[] {
  const steps: Step[] = [];
  const { presencePenalty, frequencyPenalty, noRepeatNgramSize, dry: dryOptions } = sampling;
  const biases = new Map(sampling.logitBias);
  if (biases.size > 0)
    steps.push((candidates) =>
      candidates.adjust(biases.keys(), (logit, token) => logit + (biases.get(token) ?? 0)),
    );
  const held = heldBack(sampling, vocabulary.endOfGeneration, isNumber);
  if (held !== null)
    steps.push((candidates, { completionTokens }) =>
      candidates.adjust(held(completionTokens), () => Number.NEGATIVE_INFINITY),
    );
  if (dryOptions !== null) {
    const breakers = new SequenceBreakers(dryOptions.sequenceBreakers, vocabulary.bytes);
    steps.push((candidates, history) => {
      const tokens = lastTokens(history, dryOptions.range);
      dry(candidates, dryOptions, tokens, breakers.tokensAfter(history), breakers.within);
    });
  }
  if (sampling.repetitionPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0) {
    const seen = new SeenTokens();
    steps.push((candidates, history) => {
      seen.follow(history);
      repetitionPenalty(candidates, sampling.repetitionPenalty, seen);
      countPenalties(candidates, presencePenalty, frequencyPenalty, seen);
    });
  }
  if (noRepeatNgramSize > 0)
    steps.push((candidates, history) =>
      noRepeatNgram(candidates, noRepeatNgramSize, lastTokens(history, null)),
    );
  return steps;
}

const isNumber = (id: number): id is number => id >= 0;

/** What acts on the distribution as a whole. `truncating`: also what follows the temperature. */
export function shaping(sampling: Sampling, truncating: boolean, random: Random): Step[] {
  const { dynamicTemperature: dynamic, smoothing: curve, xtc: top } = sampling;
  const steps: Step[] = [];
  if (dynamic === null) {
    if (sampling.temperature !== 1)
      steps.push((candidates) => temperature(candidates, sampling.temperature));
  } else
    steps.push((candidates) =>
      dynamicTemperature(candidates, dynamic.min, dynamic.max, dynamic.exponent),
    );
  if (!truncating) return steps;
  const add = (active: boolean, step: Step): void => {
    if (active) steps.push(step);
  };
  add(sampling.topNSigma > 0, (candidates) => topNSigma(candidates, sampling.topNSigma));
  add(sampling.topK > 0, (candidates) => topK(candidates, sampling.topK));
  add(sampling.topP < 1, (candidates) => topP(candidates, sampling.topP));
  add(sampling.topA > 0, (candidates) => topA(candidates, sampling.topA));
  add(sampling.minP > 0, (candidates) => minP(candidates, sampling.minP));
  add(sampling.tailFree < 1, (candidates) => tailFree(candidates, sampling.tailFree));
  add(sampling.etaCutoff > 0, (candidates) => etaCutoff(candidates, sampling.etaCutoff));
  add(sampling.epsilonCutoff > 0, (candidates) =>
    epsilonCutoff(candidates, sampling.epsilonCutoff),
  );
  add(sampling.typicalP < 1, (candidates) => typical(candidates, sampling.typicalP));
  if (curve !== null) steps.push((candidates) => smoothing(candidates, curve.factor, curve.curve));
  if (top !== null)
    steps.push((candidates) => xtc(candidates, top.probability, top.threshold, random));
  return steps;
}
