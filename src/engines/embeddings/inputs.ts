import { GatewayError } from "../../contract/errors.ts";
import type { EmbeddingsText } from "./protocol.ts";
import type { EmbeddingRuntime } from "./runtime.ts";

type Vocabulary = Pick<EmbeddingRuntime, "info" | "encode" | "before" | "after">;

/**
 * The tokens that are embedded: a text's with those the model wants around it, tokens as they are.
 * With `truncateTo` a longer text keeps its first tokens and what is around it.
 * @param param where the text stands in the request
 * @throws GatewayError `context_length_exceeded`, or `invalid_request` for a token that is none
 */
export function tokensOf(
  { info, encode, before, after }: Vocabulary,
  text: EmbeddingsText,
  truncateTo: number | null,
  param: string,
): readonly number[] {
  const limit = Math.min(info.contextSize, truncateTo ?? info.contextSize);
  if (typeof text !== "string") {
    refuseUnknown(text, info.vocabularySize, param);
    if (text.length <= limit) return text;
    if (truncateTo === null) throw tooLong(info.contextSize, text.length, param);
    return text.slice(0, limit);
  }
  // Half of a character outside of the basic plane is no text.
  const tokens = encode(text.toWellFormed());
  const around = before.length + after.length;
  if (tokens.length + around <= limit) return [...before, ...tokens, ...after];
  if (truncateTo === null) throw tooLong(info.contextSize, tokens.length + around, param);
  return [...before, ...tokens.slice(0, Math.max(0, limit - around)), ...after].slice(0, limit);
}

function refuseUnknown(tokens: readonly number[], size: number, param: string): void {
  const at = tokens.findIndex((token) => !(token >= 0 && token < size));
  if (at === -1) return;
  throw new GatewayError(
    "invalid_request",
    `There is no token ${tokens[at]}: this model's vocabulary has ${size}, from 0.`,
    { param: `${param}[${at}]` },
  );
}

/** In OpenAI's words, which clients look for. */
function tooLong(limit: number, tokens: number, param: string): GatewayError {
  return new GatewayError(
    "context_length_exceeded",
    `This model's maximum context length is ${limit} tokens. However, your input resulted in ${tokens} tokens. Please reduce the length of the input, or set 'truncate_prompt_tokens' to -1 to embed its beginning.`,
    { param },
  );
}
