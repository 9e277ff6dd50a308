import {
  type LlamaModel,
  type SequenceEvaluateOptions,
  type Token,
  TokenBias,
} from "node-llama-cpp";
import type { Sampling } from "../protocol.ts";

/** Tokens the penalties look at. Both lists grow while the answer does. */
export interface SampledHistory {
  readonly prompt: readonly Token[];
  /** The whole answer, also what of it was there at the beginning. */
  readonly generated: readonly Token[];
  /** The tokens that may come next, null for any; null itself where that is so from the beginning. */
  readonly allowed: (() => ReadonlySet<Token> | null) | null;
}

/**
 * The library's options for one answer, every one of them explicit. The library has one penalty
 * step over one list of tokens, but OpenAI's presence and frequency penalties are over the answer
 * and the repetition penalty is over prompt and answer. Where both are asked for, the first two
 * become logit biases, which say the same.
 */
export function evaluateOptions(
  sampling: Sampling,
  history: SampledHistory,
  model: LlamaModel,
  contextSize: number,
): SequenceEvaluateOptions {
  const { presencePenalty, frequencyPenalty, repetitionPenalty, dry } = sampling;
  const additive = presencePenalty !== 0 || frequencyPenalty !== 0;
  const repetition = repetitionPenalty !== 1;
  const options: SequenceEvaluateOptions = {
    temperature: sampling.temperature,
    topP: sampling.topP,
    topK: sampling.topK,
    minP: sampling.minP,
    seed: sampling.seed,
    yieldEogToken: true,
  };
  if (additive || repetition)
    options.repeatPenalty = {
      punishTokens: () =>
        repetition ? [...history.prompt, ...history.generated] : [...history.generated],
      maxPunishTokens: contextSize,
      penalty: repetitionPenalty,
      presencePenalty: repetition ? 0 : presencePenalty,
      frequencyPenalty: repetition ? 0 : frequencyPenalty,
    };
  const combined = additive && repetition;
  const fixed = new Map(sampling.logitBias);
  const biases = () => (combined ? combinedBias(sampling, history.generated) : fixed);
  const { allowed } = history;
  if (combined || allowed !== null)
    options.tokenBias = () => biasFor(model, onlyAllowed(biases(), allowed?.() ?? null, model));
  else if (fixed.size > 0) options.tokenBias = biasFor(model, fixed);
  if (sampling.xtc !== null) options.xtc = sampling.xtc;
  if (dry !== null)
    options.dryRepeatPenalty = {
      strength: dry.multiplier,
      base: dry.base,
      allowedLength: dry.allowedLength,
      // The library's "all" is none in 3.21.1.
      lastTokens: dry.range ?? contextSize,
      ...(dry.sequenceBreakers === null ? {} : { sequenceBreakers: [...dry.sequenceBreakers] }),
    };
  return options;
}

/** `logits[j] -= count[j] * frequency + (count[j] > 0) * presence`, on top of the caller's biases. */
export function combinedBias(
  sampling: Pick<Sampling, "logitBias" | "presencePenalty" | "frequencyPenalty">,
  generated: readonly number[],
): Map<number, number> {
  const bias = new Map(sampling.logitBias);
  const counts = new Map<number, number>();
  for (const token of generated) counts.set(token, (counts.get(token) ?? 0) + 1);
  for (const [token, count] of counts)
    bias.set(
      token,
      (bias.get(token) ?? 0) - sampling.presencePenalty - count * sampling.frequencyPenalty,
    );
  return bias;
}

/** Rules every other token out. */
function onlyAllowed(
  biases: ReadonlyMap<number, number>,
  allowed: ReadonlySet<Token> | null,
  model: LlamaModel,
): ReadonlyMap<number, number> {
  if (allowed === null) return biases;
  const all = new Map(biases);
  for (const token of model.iterateAllTokens())
    if (!allowed.has(token)) all.set(token, Number.NEGATIVE_INFINITY);
  return all;
}

/**
 * `TokenBias.set` leaves end tokens out, so that an answer can always end; but a caller's bias on
 * one means just that, so its map is filled directly. The library reads nothing else of it.
 */
function biasFor(model: LlamaModel, biases: ReadonlyMap<number, number>): TokenBias {
  const bias = TokenBias.for(model);
  const map: unknown = Reflect.get(bias, "_biases");
  if (!(map instanceof Map)) throw new Error("node-llama-cpp's TokenBias has changed its shape");
  for (const [token, logit] of biases) map.set(token, logit);
  return bias;
}
