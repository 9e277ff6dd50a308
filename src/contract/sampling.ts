import { z } from "zod";

const probability = z.number().min(0).max(1).nullish();
const atLeastZero = z.number().min(0).nullish();
const count = z.int().min(0).nullish();

/**
 * A 64-bit integer. JSON's numbers lose precision past 2^53, which for a seed only means that two
 * neighbours are the same one, so they are not refused.
 */
const int64 = z
  .number()
  .min(-(2 ** 63))
  .max(2 ** 63)
  .multipleOf(1)
  .meta({ type: "integer" });

/** OpenAI's parameters that steer the choice of tokens, on chat and on legacy completions alike. */
export const standardSampling = {
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  logit_bias: z
    .record(
      z.string().regex(/^\d+$/, 'expected token ids as keys, such as "50256".'),
      z.number().min(-100).max(100),
    )
    .nullish(),
  n: z
    .int()
    .min(1)
    .max(1, "only n = 1 is supported; send the request again for another answer.")
    .nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  seed: int64.nullish(),
  stop: z.union([z.string(), z.array(z.string()).min(1).max(4)]).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: probability,
};

/**
 * The parameters open-weight engines have beyond OpenAI's, under Aphrodite's names, with
 * Aphrodite 0.9.1's ranges where it has any. `null` means the engine's neutral value.
 */
export const extendedSampling = {
  top_k: z.int().min(-1).nullish(),
  min_p: probability,
  top_a: atLeastZero,
  tfs: probability,
  typical_p: probability,
  eta_cutoff: atLeastZero,
  epsilon_cutoff: z.number().min(0).max(1000).nullish(),
  top_n_sigma: z.number().min(-1).nullish(),
  repetition_penalty: z.number().gt(0).nullish(),
  no_repeat_ngram_size: count,
  dry_multiplier: atLeastZero,
  dry_base: z.number().min(1).nullish(),
  dry_allowed_length: count,
  dry_range: z.int().min(-1).nullish(),
  dry_sequence_breakers: z.array(z.string()).nullish(),
  xtc_probability: probability,
  xtc_threshold: probability,
  mirostat: z.int().min(0).max(2).nullish(),
  mirostat_mode: z.int().min(0).max(2).nullish(),
  mirostat_tau: atLeastZero,
  mirostat_eta: atLeastZero,
  dynatemp_min: atLeastZero,
  dynatemp_max: atLeastZero,
  dynatemp_exponent: atLeastZero,
  smoothing_factor: atLeastZero,
  smoothing_curve: z.number().min(1).nullish(),
  min_tokens: count,
  stop_token_ids: z.array(z.int().min(0)).nullish(),
  include_stop_str_in_output: z.boolean().nullish(),
  ignore_eos: z.boolean().nullish(),
  skip_special_tokens: z.boolean().nullish(),
  guided_json: z.union([z.looseObject({}), z.string()]).nullish(),
  guided_regex: z.string().nullish(),
  guided_choice: z.array(z.string()).min(1).nullish(),
  guided_grammar: z.string().nullish(),
  chat_template_kwargs: z.looseObject({}).nullish(),
};

export const streamOptions = z
  .looseObject({
    include_usage: z.boolean().optional(),
    include_obfuscation: z.boolean().optional(),
  })
  .nullish();

interface Generation {
  readonly stream?: boolean | null | undefined;
  readonly stream_options?: object | null | undefined;
  readonly [field: string]: unknown;
}

const GUIDES = ["guided_json", "guided_regex", "guided_choice", "guided_grammar"] as const;

/** What no single field can tell. Names the field to blame and what to do, or returns null. */
export function generationConflict(request: Generation): Conflict | null {
  if (request.stream_options != null && request.stream !== true) {
    return {
      param: "stream_options",
      message: "The 'stream_options' parameter is only allowed when 'stream' is true.",
    };
  }
  let guide: string | null = null;
  for (const name of GUIDES) {
    if (request[name] == null) continue;
    if (guide !== null) {
      return {
        param: name,
        message: `At most one of ${GUIDES.join(", ")} may be sent; got '${guide}' and '${name}'.`,
      };
    }
    guide = name;
  }
  return null;
}

export interface Conflict {
  readonly param: string;
  readonly message: string;
}

/** Turns a function that finds a conflict between fields into a check for a zod schema. */
export function without<T>(find: (request: T) => Conflict | null): z.core.CheckFn<T> {
  return (context) => {
    const conflict = find(context.value);
    if (conflict === null) return;
    context.issues.push({
      code: "custom",
      input: context.value,
      path: [conflict.param],
      message: conflict.message,
    });
  };
}
