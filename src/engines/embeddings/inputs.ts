import { GatewayError } from "../../contract/errors.ts";
import type { EmbeddingsInfo } from "./protocol.ts";
import type { EmbeddingRuntime } from "./runtime.ts";

type Vocabulary = Pick<EmbeddingRuntime, "info" | "slices" | "encode" | "before" | "after">;

/** What others wait for while a text is tokenised: called with the characters of each slice, it lets them work. */
export type Turn = (characters: number) => Promise<void> | void;

/**
 * The tokens of a text that are embedded, with those the model wants around it. With `truncateTo` a longer
 * text keeps its first tokens and what is around it. What is past the limit is not tokenised.
 * @param param where the text stands in the request
 * @throws GatewayError `context_length_exceeded`
 */
export async function tokensOf(
  vocabulary: Vocabulary,
  text: string,
  truncateTo: number | null,
  param: string,
  turn: Turn = () => undefined,
): Promise<readonly number[]> {
  const { info, before, after } = vocabulary;
  const limit = Math.min(info.contextSize, truncateTo ?? info.contextSize);
  const around = before.length + after.length;
  const { tokens, isAll } = await encoded(vocabulary, text, limit - around, turn);
  const length = tokens.length + around;
  if (length <= limit) return [...before, ...tokens, ...after];
  if (truncateTo === null)
    throw tooLong(info.contextSize, isAll ? `${length}` : `at least ${length}`, param);
  return [...before, ...tokens.slice(0, Math.max(0, limit - around)), ...after].slice(0, limit);
}

/** Where the text stands in its request. */
export function paramOf(index: number, listed: boolean): string {
  return listed ? `input[${index}]` : "input";
}

/** A text's own tokens, slice by slice, until there are more than `most`. */
export async function encoded(
  { slices, encode }: Pick<Vocabulary, "slices" | "encode">,
  text: string,
  most: number,
  turn: Turn,
): Promise<{ readonly tokens: readonly number[]; readonly isAll: boolean }> {
  // Half of a character outside of the basic plane is no text.
  const whole = text.toWellFormed();
  const tokens: number[] = [];
  let characters = 0;
  for (const slice of slices(whole)) {
    for (const token of encode(slice)) tokens.push(token);
    characters += slice.length;
    await turn(slice.length);
    if (tokens.length > most) return { tokens, isAll: characters >= whole.length };
  }
  return { tokens, isAll: true };
}

/**
 * Tokens that were sent instead of a text, as they are embedded: what is past `truncateTo` is left out.
 * They are looked at before they are sent to the child: to put a great many in a message takes seconds.
 * @param param where they stand in the request
 * @throws GatewayError `context_length_exceeded`, or `invalid_request` for a token that is none
 */
export function idsOf(
  tokens: readonly number[],
  { contextSize, vocabularySize }: Pick<EmbeddingsInfo, "contextSize" | "vocabularySize">,
  truncateTo: number | null,
  param: string,
): Int32Array {
  if (tokens.length > contextSize && truncateTo === null)
    throw tooLong(contextSize, `${tokens.length}`, param);
  const kept = tokens.slice(0, Math.min(contextSize, truncateTo ?? contextSize));
  const at = kept.findIndex((token) => !(token >= 0 && token < vocabularySize));
  if (at === -1) return Int32Array.from(kept);
  throw new GatewayError(
    "invalid_request",
    `There is no token ${kept[at]}: this model's vocabulary has ${vocabularySize}, from 0.`,
    { param: `${param}[${at}]` },
  );
}

/** In OpenAI's words, which clients look for. */
function tooLong(limit: number, tokens: string, param: string): GatewayError {
  return new GatewayError(
    "context_length_exceeded",
    `This model's maximum context length is ${limit} tokens. However, your input resulted in ${tokens} tokens. Please reduce the length of the input, or set 'truncate_prompt_tokens' to -1 to embed its beginning.`,
    { param },
  );
}
