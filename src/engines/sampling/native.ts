import type { Sampling } from "../protocol.ts";

/**
 * Whether the library's own chain gives exactly the distribution that `createChain` defines. Its order
 * (llama.cpp's samplers in node-llama-cpp 3.21.1) is biases, penalties, DRY, top-k, top-p, min-p, XTC
 * and the temperature last; ours has the temperature before all that truncate.
 *
 * - The likeliest token and the order of the others are the same at every temperature: top-k is native,
 *   and with temperature 0, where no truncation counts, only the penalties matter.
 * - min-p compares two probabilities: `p / max ≥ m` at temperature T is `p / max ≥ m ^ T` at 1, which is
 *   what `nativeMinP` asks for.
 * - top-p is a sum of probabilities, which the temperature changes: it is native at temperature 1 only.
 * - The library punishes one list of tokens. Presence and frequency are over the answer and repetition is
 *   over prompt and answer, so that either is native but both are not.
 * - DRY's list has only what the library's chain sampled, not the prompt: never native.
 * - XTC draws from a generator with the same seed as the choice of the token, and the two are not
 *   independent: never native.
 */
export function isNative(sampling: Sampling): boolean {
  const { temperature, topP, repetitionPenalty, presencePenalty, frequencyPenalty } = sampling;
  const counted = presencePenalty !== 0 || frequencyPenalty !== 0;
  if (sampling.dry !== null || sampling.noRepeatNgramSize > 0) return false;
  if (sampling.allowedTokens !== null) return false;
  if (repetitionPenalty !== 1 && counted) return false;
  if (temperature === 0) return true;
  if (topP < 1 && temperature !== 1) return false;
  return !hasOwnSampler(sampling);
}

/** The library's min-p, before the temperature, that keeps what min-p keeps after it. */
export function nativeMinP({ minP, temperature }: Pick<Sampling, "minP" | "temperature">): number {
  return minP <= 0 || temperature === 0 ? 0 : minP ** temperature;
}

/**
 * How many of the likeliest tokens are all that our own chain needs of the model's distribution, 0 for
 * the whole of it: with top-k, where nothing before it in the order changes what is likeliest or looks
 * at all tokens. The library sorts them faster than it hands out a vocabulary.
 */
export function tokensNeeded(sampling: Sampling): number {
  const { logitBias, minTokens, ignoreEndOfText, dry, noRepeatNgramSize } = sampling;
  const rules = logitBias.length > 0 || sampling.allowedTokens !== null;
  const adjusts = rules || minTokens > 0 || ignoreEndOfText;
  const repeats =
    dry !== null ||
    noRepeatNgramSize > 0 ||
    sampling.repetitionPenalty !== 1 ||
    sampling.presencePenalty !== 0 ||
    sampling.frequencyPenalty !== 0;
  const looks =
    sampling.dynamicTemperature !== null || sampling.topNSigma > 0 || sampling.mirostat !== null;
  return adjusts || repeats || looks ? 0 : sampling.topK;
}

/** Whether something is asked for that only our own chain has. */
function hasOwnSampler(sampling: Sampling): boolean {
  return (
    sampling.dynamicTemperature !== null ||
    sampling.topNSigma > 0 ||
    sampling.topA > 0 ||
    sampling.tailFree < 1 ||
    sampling.etaCutoff > 0 ||
    sampling.epsilonCutoff > 0 ||
    sampling.typicalP < 1 ||
    sampling.smoothing !== null ||
    sampling.xtc !== null ||
    sampling.mirostat !== null
  );
}
