import { z } from "zod";

const probability = z.number().min(0).max(1).nullish();
const atLeastZero = z.number().min(0).nullish();
const upTo = (most: number) => z.number().min(0).max(most).nullish();
const count = z.int().min(0).nullish();

/**
 * A 64-bit integer. JSON's numbers lose precision past 2^53, which for a seed only means that two
 * neighbours are the same one, so they are not refused.
 */
const SEED_RANGE = "a seed is a whole number from -2^63 to 2^63.";
const int64 = z
  .number()
  .min(-(2 ** 63), SEED_RANGE)
  .max(2 ** 63, SEED_RANGE)
  .multipleOf(1)
  .meta({ type: "integer" });

/** An object with values of one kind. Unlike `z.record`, checking it stops at the first wrong one. */
export const mapOf = <T extends z.ZodType>(value: T) => z.object({}).catchall(value);

const LogitBias = mapOf(z.number().min(-100).max(100)).check((context) => {
  if (Object.keys(context.value).every((key) => /^\d+$/.test(key))) return;
  context.issues.push({
    code: "custom",
    input: context.value,
    message: "Invalid key in 'logit_bias': the keys must be token ids, such as \"50256\".",
  });
});

/** Characters of a text that ends an answer. */
const LONGEST_STOP = 1_000;

/** OpenAI's parameters that steer the choice of tokens, on chat and on legacy completions alike. */
export const standardSampling = {
  frequency_penalty: z
    .number()
    .min(-2)
    .max(2)
    .nullish()
    .describe("Lowers a token the more often it has come up. 0 is off."),
  logit_bias: LogitBias.nullish().describe(
    "Added to the logits of tokens, by their ids: -100 forbids, 100 forces.",
  ),
  n: z
    .int()
    .min(1)
    .max(1, "only n = 1 is supported; send the request again for another answer.")
    .nullish()
    .describe("How many answers. One; send the request again for another."),
  presence_penalty: z
    .number()
    .min(-2)
    .max(2)
    .nullish()
    .describe("Lowers a token that has come up at all. 0 is off."),
  seed: int64
    .nullish()
    .describe("The same seed, request and model give the same text on an embedded model."),
  stop: z
    .union([z.string(), z.array(z.string()).min(1).max(4)])
    .check(({ value, issues }) => {
      const texts = [value].flat();
      const isLong = texts.some((text) => text.length > LONGEST_STOP);
      if (!isLong && texts.every((text) => text !== "")) return;
      const rule = isLong
        ? `a text has at most ${LONGEST_STOP} characters`
        : "an empty text ends no answer; leave it out";
      issues.push({ code: "custom", input: value, message: `Invalid value for 'stop': ${rule}.` });
    })
    .nullish()
    .describe("Ends the answer before any of these texts, which are not part of it."),
  temperature: z
    .number()
    .min(0)
    .max(2)
    .nullish()
    .describe("Higher is more varied; 0 always takes the likeliest token."),
  top_p: probability.describe(
    "Keeps the likeliest tokens that together reach this probability. 1 is off.",
  ),
};

/**
 * The parameters open-weight engines have beyond OpenAI's, under Aphrodite's names, with
 * Aphrodite 0.9.1's ranges where it has any. `null` means the engine's neutral value.
 */
export const extendedSampling = {
  top_k: z
    .int()
    .min(-1)
    .nullish()
    .describe("Keeps this many of the likeliest tokens. 0 and -1 are off."),
  min_p: probability.describe(
    "Drops tokens less likely than this share of the likeliest one. 0 is off.",
  ),
  top_a: atLeastZero.describe(
    "Drops tokens less likely than this times the likeliest one's probability squared. 0 is off.",
  ),
  tfs: probability.describe(
    "Tail-free sampling: cuts the tail where the slope of the probabilities flattens. 1 is off.",
  ),
  typical_p: probability.describe(
    "Keeps the tokens whose surprise is nearest to the expected one. 1 is off.",
  ),
  eta_cutoff: upTo(10_000).describe(
    "Drops tokens below a cutoff that follows the entropy, in units of 0.0001. 0 is off.",
  ),
  epsilon_cutoff: z
    .number()
    .min(0)
    .max(1000)
    .nullish()
    .describe("Drops tokens below this probability, in units of 0.0001. 0 is off."),
  top_n_sigma: z
    .number()
    .min(-1)
    .nullish()
    .describe(
      "Keeps tokens whose logit is within this many standard deviations of the highest. 0 and -1 are off.",
    ),
  repetition_penalty: z
    .number()
    .min(0.01)
    .max(100)
    .nullish()
    .describe(
      "Divides the positive logits of tokens that came up, in prompt or answer, by this. 1 is off.",
    ),
  no_repeat_ngram_size: count.describe(
    "Lets no sequence of this many tokens come up twice. 0 is off.",
  ),
  dry_multiplier: upTo(10_000).describe(
    "Strength of DRY, which lowers tokens that would prolong a repeated sequence. 0 is off.",
  ),
  dry_base: z
    .number()
    .min(1)
    .max(100)
    .nullish()
    .describe("How fast the DRY penalty grows with the length of the repetition."),
  dry_allowed_length: count.describe("The longest repetition that DRY leaves alone, in tokens."),
  dry_range: z
    .int()
    .min(-1)
    .nullish()
    .describe("How many of the last tokens DRY looks at. 0 and -1 mean all."),
  dry_sequence_breakers: z
    .array(z.string().max(1_000))
    .max(64)
    .nullish()
    .describe("Texts that end a sequence for DRY; their first 40 bytes count."),
  xtc_probability: probability.describe(
    "How likely each step leaves out the top choices (XTC). 0 is off.",
  ),
  xtc_threshold: probability.describe(
    "Tokens from this probability up are top choices for XTC, all but the least likely of which go.",
  ),
  mirostat: z
    .int()
    .min(0)
    .max(2)
    .nullish()
    .describe("Keeps the surprise of the text at a target: 0 is off, 1 and 2 are its versions."),
  mirostat_mode: z.int().min(0).max(2).nullish().describe("Another name of mirostat."),
  mirostat_tau: upTo(1_000).describe("The surprise that mirostat aims at, in bits."),
  mirostat_eta: upTo(100).describe("How fast mirostat corrects itself."),
  dynatemp_min: upTo(100).describe("The temperature where the model is certain."),
  dynatemp_max: upTo(100).describe("The temperature where it is not at all."),
  dynatemp_exponent: upTo(100).describe("How entropy maps onto the temperatures between."),
  smoothing_factor: upTo(100).describe(
    "Quadratic sampling: pulls logits towards the highest by the square of their distance. 0 is off.",
  ),
  smoothing_curve: z
    .number()
    .min(1)
    .max(100)
    .nullish()
    .describe("Adds a cubic part to the smoothing. 1 is none."),
  min_tokens: count.describe("The answer does not end before it has this many tokens."),
  stop_token_ids: z
    .array(z.int().min(0))
    .max(1_024)
    .nullish()
    .describe("Ends the answer at any of these tokens."),
  allowed_token_ids: z
    .array(z.int().min(0))
    .min(1)
    .max(500_000)
    .nullish()
    .describe("No other tokens come; the one that ends an answer neither, unless it is here."),
  include_stop_str_in_output: z.boolean().nullish().describe("Leaves the stop text in the answer."),
  ignore_eos: z
    .boolean()
    .nullish()
    .describe("Goes on past the model's end-of-text tokens, up to max_tokens."),
  skip_special_tokens: z.boolean().nullish().describe("Leaves special tokens out of the text."),
  guided_json: z
    .union([z.looseObject({}), z.string()])
    .nullish()
    .describe("The answer is JSON that fits this JSON Schema."),
  guided_regex: z.string().nullish().describe("The answer matches this regular expression."),
  guided_choice: z.array(z.string()).min(1).nullish().describe("The answer is one of these texts."),
  guided_grammar: z
    .string()
    .nullish()
    .describe("The answer follows this grammar (GBNF on embedded models)."),
  chat_template_kwargs: z
    .looseObject({})
    .nullish()
    .describe("Variables for the model's chat template."),
};

export const streamOptions = z
  .looseObject({
    include_usage: z.boolean().optional(),
    include_obfuscation: z.boolean().optional(),
  })
  .nullish();
