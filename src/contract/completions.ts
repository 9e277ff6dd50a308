import { z } from "zod";
import { generationConflict, without } from "./conflicts.ts";
import { ResponseFormat } from "./response-format.ts";
import { routingFields } from "./routing.ts";
import { extendedSampling, standardSampling, streamOptions } from "./sampling.ts";
import { Usage } from "./usage.ts";

const token = z.int().min(0);

/** Each prompt of a list has an answer of its own; OpenAI's bound on how many. */
const MOST_PROMPTS = 2048;
const TOO_MANY = `a request has ${MOST_PROMPTS} prompts at most; send the others in another one.`;

/** Text, several texts, tokens, or several token lists. */
export const Prompt = z.union([
  z.string(),
  z.array(z.string()).min(1).max(MOST_PROMPTS, TOO_MANY),
  z.array(token).min(1),
  z.array(z.array(token).min(1)).min(1).max(MOST_PROMPTS, TOO_MANY),
]);
export type Prompt = z.infer<typeof Prompt>;

/** The body of `POST /v1/completions`. No defaults are filled in; unknown fields are kept. */
export const CompletionRequest = z
  .looseObject({
    model: z.string().min(1),
    prompt: Prompt.nullable().describe(
      "Text, texts, token ids, or lists of token ids, 2048 prompts at most. null is the model's start token.",
    ),
    stream: z.boolean().nullish(),
    stream_options: streamOptions,
    max_tokens: z.int().min(0).nullish(),
    ...standardSampling,
    ...extendedSampling,
    ...routingFields,
    best_of: z.int().min(0).max(1, "only best_of = 1 is supported.").nullish(),
    echo: z.boolean().nullish().describe("Put the prompt in front of the answer."),
    logprobs: z
      .int()
      .min(0)
      .max(5)
      .nullish()
      .describe("Send log probabilities, with this many alternatives for each token."),
    suffix: z
      .string()
      .nullish()
      .describe("Text that comes after the answer, for models that fill in the middle."),
    user: z.string().optional(),
    response_format: ResponseFormat.nullish().describe(
      "As in chats: open engines have it here too.",
    ),
  })
  .check(without(generationConflict));
export type CompletionRequest = z.infer<typeof CompletionRequest>;

export const CompletionFinishReason = z.enum(["stop", "length", "content_filter"]);
export type CompletionFinishReason = z.infer<typeof CompletionFinishReason>;

export const CompletionLogprobs = z.looseObject({
  text_offset: z.array(z.int()).optional(),
  token_logprobs: z.array(z.number().nullable()).optional(),
  tokens: z.array(z.string()).optional(),
  top_logprobs: z.array(z.record(z.string(), z.number()).nullable()).nullish(),
});
export type CompletionLogprobs = z.infer<typeof CompletionLogprobs>;

const choice = {
  index: z.int().min(0),
  text: z.string(),
  logprobs: CompletionLogprobs.nullable(),
};
const stamp = {
  id: z.string(),
  object: z.literal("text_completion"),
  created: z.int(),
  model: z.string(),
  system_fingerprint: z.string().optional(),
};

/** The answer to a completion request that does not stream. */
export const CompletionResponse = z.looseObject({
  ...stamp,
  system_fingerprint: z.string().nullish().describe("Null in OpenRouter's dialect only."),
  choices: z.array(z.looseObject({ ...choice, finish_reason: CompletionFinishReason })),
  usage: Usage.optional(),
});
export type CompletionResponse = z.infer<typeof CompletionResponse>;

/** One event of a completion stream before the gateway stamps id, object, created and model on it. */
export const CompletionChunkBody = z.looseObject({
  choices: z.array(z.looseObject({ ...choice, finish_reason: CompletionFinishReason.nullable() })),
  usage: Usage.optional(),
});
export type CompletionChunkBody = z.infer<typeof CompletionChunkBody>;

/** One event of a completion stream. */
export const CompletionChunk = z.looseObject({ ...stamp, ...CompletionChunkBody.shape });
export type CompletionChunk = z.infer<typeof CompletionChunk>;
