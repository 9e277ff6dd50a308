import { z } from "zod";
import { routingFields } from "./routing.ts";

const token = z.int().min(0);

const MOST_INPUTS = 2048;
const TOO_MANY = `a request has ${MOST_INPUTS} inputs at most; send the others in another one.`;

/** What is embedded: a text, texts, a text's tokens, or several texts' tokens; OpenAI's bound on how many. */
export const EmbeddingsInput = z.union([
  z.string(),
  z.array(z.string()).min(1).max(MOST_INPUTS, TOO_MANY),
  z.array(token).min(1),
  z.array(z.array(token).min(1)).min(1).max(MOST_INPUTS, TOO_MANY),
]);
export type EmbeddingsInput = z.infer<typeof EmbeddingsInput>;

/** The body of `POST /v1/embeddings`. No defaults are filled in; unknown fields are kept. */
export const EmbeddingsRequest = z.looseObject({
  model: z.string().min(1),
  input: EmbeddingsInput.describe("Text, texts, token ids, or lists of token ids."),
  encoding_format: z
    .enum(["float", "base64"])
    .optional()
    .describe("Numbers, or little-endian 32-bit floats in base64. Default: float."),
  dimensions: z
    .int()
    .min(1)
    .optional()
    .describe("Numbers an embedding has, for models that can shorten it."),
  truncate_prompt_tokens: z
    .int()
    .min(-1)
    .refine(
      (tokens) => tokens !== 0,
      "Invalid value for 'truncate_prompt_tokens': expected -1, or an integer of at least 1, but got 0.",
    )
    .optional()
    .describe("Of a longer text, embed its first so many tokens; -1: as many as the model takes."),
  truncate: z
    .boolean()
    .optional()
    .describe(
      "The same as `truncate_prompt_tokens` -1. Default: a text that is too long is an error.",
    ),
  user: z.string().optional(),
  ...routingFields,
});
export type EmbeddingsRequest = z.infer<typeof EmbeddingsRequest>;

/** One embedding for each input, in their order. */
export const EmbeddingsResponse = z.looseObject({
  object: z.literal("list"),
  model: z.string(),
  data: z.array(
    z.looseObject({
      object: z.literal("embedding"),
      index: z.int().min(0),
      embedding: z.union([z.array(z.number()), z.string()]),
    }),
  ),
  usage: z.looseObject({ prompt_tokens: z.int().min(0), total_tokens: z.int().min(0) }),
});
export type EmbeddingsResponse = z.infer<typeof EmbeddingsResponse>;
