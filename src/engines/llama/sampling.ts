import {
  type LlamaModel,
  type SequenceEvaluateOptions,
  type Token,
  TokenBias,
} from "node-llama-cpp";
import type { Sampling } from "../protocol.ts";
import { needsLogits } from "../sampling/chain.ts";
import { nativeMinP, tokensNeeded } from "../sampling/native.ts";

/** Tokens the penalties look at. Both lists grow while the answer does. */
export interface SampledHistory {
  readonly prompt: readonly Token[];
  /** The whole answer, also what of it was there at the beginning. */
  readonly generated: readonly Token[];
  /** The tokens that may come next, null for any; null itself where that is so from the beginning. */
  readonly allowed: (() => ReadonlySet<Token> | null) | null;
  /** The tokens that must not come next, as `heldBack` tells; left out where there never are any. */
  readonly held?: () => readonly Token[];
}

/** The logit that `wholeDistribution` gives the anchor: between a model's highest and lowest ones. */
export const ANCHOR_LOGIT = 20;
/** Makes any logit as good as nothing, and is finite as a 32-bit float, `ANCHOR_LOGIT` times it too. */
const CRUSHING = 1e30;

/**
 * The library's options where we choose the token ourselves, from the model's own probabilities: no
 * sampler at all. Probabilities tell logits up to a constant. Where that isn't enough (`needsLogits`),
 * the library's bias and repetition penalty, which are the first to see the logits, make those of one
 * token, the anchor, `(logit + bias) / penalty`: with a huge penalty, and a bias that is
 * `ANCHOR_LOGIT` times it, that is `ANCHOR_LOGIT` whatever it was, and its probability tells the
 * constant (`readLogits`). The anchor can't be sampled then, so it is a token that no answer has: see
 * `anchorOf`.
 *
 * `free`: every token may come, and nobody asks how likely others were, so that no more tokens are
 * asked for than the samplers need.
 */
export function wholeDistribution(
  sampling: Sampling,
  model: LlamaModel,
  free = false,
): SequenceEvaluateOptions {
  const options: SequenceEvaluateOptions = {
    temperature: 1,
    topP: 1,
    topK: free ? tokensNeeded(sampling) : 0,
    minP: 0,
    seed: sampling.seed,
    yieldEogToken: true,
  };
  if (!needsLogits(sampling)) return options;
  const anchor = anchorOf(model);
  return {
    ...options,
    tokenBias: biasFor(model, new Map([[anchor, ANCHOR_LOGIT * CRUSHING]])),
    repeatPenalty: {
      punishTokens: [anchor],
      maxPunishTokens: 1,
      penalty: CRUSHING,
      presencePenalty: 0,
      frequencyPenalty: 0,
    },
  };
}

const anchors = new WeakMap<LlamaModel, Token>();

/** A token that no answer has: the one for what is unknown, or another that only templates write. */
export function anchorOf(model: LlamaModel): Token {
  const known = anchors.get(model);
  if (known !== undefined) return known;
  const unwritten = [...model.iterateAllTokens()].filter((token) => {
    const { control, unknown, unused } = model.getTokenAttributes(token);
    return (control || unknown || unused) && !model.isEogToken(token);
  });
  const first = unwritten.find((token) => model.getTokenAttributes(token).unknown) ?? unwritten[0];
  if (first === undefined) throw new Error("this model's vocabulary has no token to measure by");
  anchors.set(model, first);
  return first;
}

/**
 * The library's options for one answer that `isNative` says its samplers do, every one of them
 * explicit. Its penalty step is over one list of tokens: prompt and answer for the repetition penalty,
 * the answer for OpenAI's two.
 */
export function evaluateOptions(
  sampling: Sampling,
  history: SampledHistory,
  model: LlamaModel,
  contextSize: number,
): SequenceEvaluateOptions {
  const { presencePenalty, frequencyPenalty, repetitionPenalty } = sampling;
  const repetition = repetitionPenalty !== 1;
  const options: SequenceEvaluateOptions = {
    temperature: sampling.temperature,
    topP: sampling.topP,
    topK: sampling.topK,
    minP: nativeMinP(sampling),
    seed: sampling.seed,
    yieldEogToken: true,
  };
  if (repetition || presencePenalty !== 0 || frequencyPenalty !== 0)
    options.repeatPenalty = {
      punishTokens: () =>
        repetition ? [...history.prompt, ...history.generated] : [...history.generated],
      maxPunishTokens: contextSize,
      penalty: repetitionPenalty,
      presencePenalty,
      frequencyPenalty,
    };
  const biases = new Map(sampling.logitBias);
  const { allowed, held } = history;
  if (allowed !== null || held !== undefined)
    options.tokenBias = () => {
      const free = without(biases, held?.() ?? []);
      return biasFor(model, onlyAllowed(free, allowed?.() ?? null, model));
    };
  else if (biases.size > 0) options.tokenBias = biasFor(model, biases);
  return options;
}

/** Rules these tokens out. */
function without(
  biases: ReadonlyMap<number, number>,
  held: readonly Token[],
): ReadonlyMap<number, number> {
  if (held.length === 0) return biases;
  return new Map([...biases, ...held.map((token) => [token, Number.NEGATIVE_INFINITY] as const)]);
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
