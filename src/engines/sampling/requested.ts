import type { ChatRequest } from "../../contract/chat.ts";
import type { CompletionRequest } from "../../contract/completions.ts";
import { GatewayError } from "../../contract/errors.ts";
import type { ModelDefaults } from "../../types.ts";
import { nameSent } from "../other-names.ts";
import type { Sampling } from "../protocol.ts";

type Asked = ChatRequest | CompletionRequest;

/** Colder is greedy: Aphrodite's `_SAMPLING_EPS`, which it and vLLM take for temperature 0. */
const COLDEST = 1e-5;
/** Aphrodite's and llama.cpp's defaults of what only counts once its sampler is on. */
const DEFAULTS = {
  xtcThreshold: 0.1,
  dryBase: 1.75,
  dryAllowedLength: 2,
  drySequenceBreakers: ["\n", ":", '"', "*"],
  mirostatTau: 5,
  mirostatEta: 0.1,
} as const;
/** The unit of `epsilon_cutoff` and `eta_cutoff`. */
const CUTOFF_UNIT = 1e-4;

/**
 * The request's samplers, but for the seed: what it asks for, then the model's own defaults, then
 * neutral values. Throws a 400 that names the parameter where two of them contradict each other.
 */
export function samplersOf(request: Asked, defaults: ModelDefaults): Omit<Sampling, "seed"> {
  const temperature = request.temperature ?? defaults.temperature ?? 1;
  return {
    temperature: temperature < COLDEST ? 0 : temperature,
    dynamicTemperature: dynamicTemperatureOf(request),
    topP: request.top_p ?? defaults.top_p ?? 1,
    topK: Math.max(0, request.top_k ?? defaults.top_k ?? 0),
    minP: request.min_p ?? defaults.min_p ?? 0,
    topA: request.top_a ?? 0,
    tailFree: request.tfs ?? 1,
    typicalP: request.typical_p ?? 1,
    epsilonCutoff: (request.epsilon_cutoff ?? 0) * CUTOFF_UNIT,
    etaCutoff: (request.eta_cutoff ?? 0) * CUTOFF_UNIT,
    topNSigma: Math.max(0, request.top_n_sigma ?? 0),
    smoothing: smoothingOf(request),
    xtc: xtcOf(request),
    mirostat: mirostatOf(request),
    presencePenalty: request.presence_penalty ?? 0,
    frequencyPenalty: request.frequency_penalty ?? 0,
    repetitionPenalty: request.repetition_penalty ?? defaults.repetition_penalty ?? 1,
    noRepeatNgramSize: request.no_repeat_ngram_size ?? 0,
    dry: dryOf(request),
    logitBias: Object.entries(request.logit_bias ?? {}).map(
      ([token, bias]) => [Number(token), bias] as const,
    ),
    minTokens: minTokensOf(request),
    ignoreEndOfText: request.ignore_eos ?? false,
    stopTokens: request.stop_token_ids ?? [],
    allowedTokens: request.allowed_token_ids ?? null,
    includeStop: request.include_stop_str_in_output ?? false,
    skipSpecialTokens: request.skip_special_tokens ?? true,
  };
}

function dynamicTemperatureOf(request: Asked): Sampling["dynamicTemperature"] {
  const min = request.dynatemp_min ?? 0;
  const max = request.dynatemp_max ?? 0;
  if (min > max) {
    const [low, high] = [nameSent(request, "dynatemp_min"), nameSent(request, "dynatemp_max")];
    throw contradiction(
      low,
      max === 0
        ? `'${low}' is nothing without '${high}', the highest temperature: where that is not sent, or 0, the dynamic temperature is off.`
        : `Invalid value for '${low}': ${min} is more than '${high}', which is ${max}.`,
    );
  }
  return max === 0 ? null : { min, max, exponent: request.dynatemp_exponent ?? 1 };
}

function smoothingOf(request: Asked): Sampling["smoothing"] {
  const factor = request.smoothing_factor ?? 0;
  return factor === 0 ? null : { factor, curve: request.smoothing_curve ?? 1 };
}

function xtcOf(request: Asked): Sampling["xtc"] {
  const probability = request.xtc_probability ?? 0;
  if (probability === 0) return null;
  return { probability, threshold: request.xtc_threshold ?? DEFAULTS.xtcThreshold };
}

function mirostatOf(request: Asked): Sampling["mirostat"] {
  const version = request.mirostat ?? request.mirostat_mode ?? 0;
  if (version !== 1 && version !== 2) return null;
  return {
    version,
    tau: request.mirostat_tau ?? DEFAULTS.mirostatTau,
    eta: request.mirostat_eta ?? DEFAULTS.mirostatEta,
  };
}

function dryOf(request: Asked): Sampling["dry"] {
  const multiplier = request.dry_multiplier ?? 0;
  if (multiplier === 0) return null;
  const range = request.dry_range ?? 0;
  return {
    multiplier,
    base: request.dry_base ?? DEFAULTS.dryBase,
    allowedLength: request.dry_allowed_length ?? DEFAULTS.dryAllowedLength,
    range: range <= 0 ? null : range,
    sequenceBreakers: request.dry_sequence_breakers ?? DEFAULTS.drySequenceBreakers,
  };
}

function minTokensOf(request: Asked): number {
  const least = request.min_tokens ?? 0;
  const most = mostTokens(request);
  if (most !== null && least > most)
    throw contradiction(
      "min_tokens",
      `Invalid value for 'min_tokens': ${least} is more than the ${most} tokens the answer may have.`,
    );
  return least;
}

function mostTokens(request: Asked): number | null {
  const newer = "max_completion_tokens" in request ? request.max_completion_tokens : null;
  return (typeof newer === "number" ? newer : request.max_tokens) ?? null;
}

function contradiction(param: string, message: string): GatewayError {
  return new GatewayError("invalid_request", message, { param });
}
