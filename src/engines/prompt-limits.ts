import { GatewayError } from "../contract/errors.ts";
import type { GenerateOptions, PromptSource, ReadyInfo } from "./protocol.ts";

/** Characters a prompt may have. A million take a model of 131,072 tokens of context, and more. */
export const LONGEST_TEXT = 2 ** 20;
/** Characters to be told the tokens of: each can become three, and each of these 25 bytes of answer. */
const LONGEST_TOKENIZED = 400_000;
/** Messages a template is rendered with; that takes about 5 µs each. */
const MOST_MESSAGES = 2 ** 14;
/** Tokens to be told the text of. */
const MOST_TOKENS = 2 ** 17;

/**
 * Refuses a prompt that is certain to fill the context, or is too much work to find out, before it
 * is sent to the child: while a template is rendered there, nobody gets a token. No token stands
 * for more characters than the longest one has, and no message for less than a token.
 */
export function refuseOversized(
  { prompt, prefill }: Pick<GenerateOptions, "prompt" | "prefill">,
  info: ReadyInfo,
): void {
  const { contextSize, longestToken } = info;
  const begun = prefill?.length ?? 0;
  if (begun > LONGEST_TEXT) throw textTooLong(LONGEST_TEXT, "messages");
  if (prompt.kind === "tokens") {
    if (prompt.tokens.length >= contextSize)
      throw tooLong(contextSize, prompt, prompt.tokens.length);
    return;
  }
  const sent =
    prompt.kind === "text"
      ? prompt.text.length
      : prompt.messages.reduce((sum, { content }) => sum + content.length, 0);
  const characters = sent + begun;
  const messages = prompt.kind === "chat" ? prompt.messages.length : 0;
  const least = Math.max(messages, Math.ceil(characters / longestToken));
  if (least >= contextSize) throw tooLong(contextSize, prompt, `at least ${least}`);
  refuseLong(prompt, LONGEST_TEXT, prompt.kind === "chat" ? "messages" : "prompt");
}

/** Refuses more messages than a template is rendered with, before anything is done with them. */
export function refuseMessages(count: number): void {
  if (count <= MOST_MESSAGES) return;
  throw new GatewayError(
    "context_length_exceeded",
    `Too many messages: this model's engine takes up to ${MOST_MESSAGES}, and these are ${count}.`,
    { param: "messages" },
  );
}

/** Refuses what is too long to be tokenised for its own sake; `param` is where it came from. */
export function refuseTokenizing(prompt: PromptSource, param: string): void {
  refuseLong(prompt, LONGEST_TOKENIZED, param);
}

export function refuseDetokenizing(tokens: readonly number[]): void {
  if (tokens.length <= MOST_TOKENS) return;
  throw new GatewayError(
    "invalid_request",
    `Too many tokens: up to ${MOST_TOKENS} can be turned into text at once, and these are ${tokens.length}.`,
    { param: "tokens" },
  );
}

/** In OpenAI's words, which clients look for. */
export function tooLong(
  contextSize: number,
  { kind }: Pick<PromptSource, "kind">,
  tokens: number | string,
): GatewayError {
  const what = kind === "chat" ? "messages" : "prompt";
  return new GatewayError(
    "context_length_exceeded",
    `This model's maximum context length is ${contextSize} tokens. However, your ${what} resulted in ${tokens} tokens. Please reduce the length of the ${what}.`,
    { param: what },
  );
}

export function textTooLong(limit: number, param: string): GatewayError {
  return new GatewayError(
    "invalid_request",
    `The text is too long: it may have up to ${limit} characters.`,
    { param },
  );
}

function refuseLong(prompt: PromptSource, limit: number, param: string): void {
  if (prompt.kind === "text" && prompt.text.length > limit) throw textTooLong(limit, param);
  if (prompt.kind !== "chat") return;
  if (sizeOf(prompt.messages, limit) > limit) throw textTooLong(limit, param);
  if (sizeOf(prompt.tools, limit) > limit) throw textTooLong(limit, "tools");
  if (sizeOf(prompt.variables, limit) > limit) throw textTooLong(limit, "chat_template_kwargs");
}

/** Characters of all texts in a JSON value, names included, and one for each value; stops past `limit`. */
function sizeOf(value: unknown, limit: number): number {
  const left: unknown[] = [value];
  let size = 0;
  while (left.length > 0 && size <= limit) {
    const next = left.pop();
    size += typeof next === "string" ? next.length : 1;
    if (Array.isArray(next)) {
      if (next.length > limit) return next.length;
      for (const item of next) left.push(item);
    } else if (typeof next === "object" && next !== null)
      for (const [name, item] of Object.entries(next)) left.push(name, item);
  }
  return size;
}
