import type { Sampling } from "../../src/engines/protocol.ts";
import { Candidates } from "../../src/engines/sampling/candidates.ts";
import { createDistribution, type Distribution } from "../../src/engines/sampling/distribution.ts";
import type { Seeded } from "../seeded.ts";

/** What changes nothing, but for what is said. */
export function samplingWith(fields: Partial<Sampling> = {}): Sampling {
  return {
    temperature: 1,
    dynamicTemperature: null,
    topP: 1,
    topK: 0,
    minP: 0,
    topA: 0,
    tailFree: 1,
    typicalP: 1,
    epsilonCutoff: 0,
    etaCutoff: 0,
    topNSigma: 0,
    smoothing: null,
    xtc: null,
    mirostat: null,
    presencePenalty: 0,
    frequencyPenalty: 0,
    repetitionPenalty: 1,
    noRepeatNgramSize: 0,
    dry: null,
    logitBias: [],
    minTokens: 0,
    ignoreEndOfText: false,
    stopTokens: [],
    includeStop: false,
    allowedTokens: null,
    skipSpecialTokens: true,
    seed: 1,
    ...fields,
  };
}

/** A distribution of tokens 0, 1, 2… by their logits, the likeliest first. */
export function distributionOf(logits: readonly number[]): Distribution {
  const distribution = createDistribution(logits.length);
  const order = logits.map((_, token) => token).sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0));
  distribution.ids.set(order);
  distribution.logits.set(order.map((token) => logits[token] ?? 0));
  distribution.size = logits.length;
  return distribution;
}

/** Candidates with these probabilities: token 0's, token 1's… `vocabularySize`: those that are out too. */
export function candidatesOf(
  probabilities: readonly number[],
  vocabularySize = probabilities.length,
): Candidates {
  const candidates = new Candidates(vocabularySize);
  candidates.take(distributionOf(probabilities.map(Math.log)), null);
  return candidates;
}

/** The probability of each token: what the candidates say, 0 for the others. */
export function probabilitiesOf(candidates: Candidates): number[] {
  const sum = candidates.weigh();
  const probabilities = Array.from({ length: candidates.vocabularySize }, () => 0);
  for (let at = 0; at < candidates.size; at++)
    probabilities[candidates.ids[at] ?? 0] = (candidates.weights[at] ?? 0) / sum;
  return probabilities;
}

/** Logits as a model's might be: some far above the others. */
export function randomLogits(random: Seeded, count: number): number[] {
  const spread = 0.5 + 6 * random.next();
  return Array.from({ length: count }, () =>
    Math.fround(spread * (random.next() + random.next() + random.next() - 1.5) * 2),
  );
}
