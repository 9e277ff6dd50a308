import { z } from "zod";

const count = z.int().min(0);

/**
 * Tokens one call used, in OpenAI's shape, with the cache fields of Anthropic's and the cost fields
 * of OpenRouter's SDK beside them. Costs are in US dollars.
 */
export const Usage = z.looseObject({
  prompt_tokens: count,
  completion_tokens: count,
  total_tokens: count,
  prompt_tokens_details: z
    .looseObject({ cached_tokens: count.optional(), audio_tokens: count.optional() })
    .optional(),
  completion_tokens_details: z
    .looseObject({
      reasoning_tokens: count.optional(),
      audio_tokens: count.optional(),
      accepted_prediction_tokens: count.optional(),
      rejected_prediction_tokens: count.optional(),
    })
    .optional(),
  cache_read_input_tokens: count.optional(),
  cache_creation_input_tokens: count.optional(),
  cost: z.number().min(0).nullish(),
  is_byok: z.boolean().optional(),
  cost_details: z
    .looseObject({
      upstream_inference_cost: z.number().nullish(),
      upstream_inference_prompt_cost: z.number().optional(),
      upstream_inference_completions_cost: z.number().optional(),
    })
    .optional(),
});
export type Usage = z.infer<typeof Usage>;

/**
 * The usage of a call that was counted here. `prompt` includes `cached`, the tokens of it that were
 * read from a cache, as in OpenAI's shape; `completion` includes those of its thinking.
 */
export function usageOf(prompt: number, completion: number, cached: number, reasoning = 0): Usage {
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: cached, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
    cache_read_input_tokens: cached,
    cache_creation_input_tokens: 0,
  };
}
