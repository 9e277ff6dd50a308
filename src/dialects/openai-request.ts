import type { JsonObject, Target } from "../types.ts";

/** Fields that ask something of the gateway, never of an upstream; told as dropped until it does it. */
const OURS = ["models", "provider", "route", "plugins", "chat_template"];

/** What is sent: the caller's body under the upstream's name of the model, without what is not its business. */
export function requestBody(
  target: Target,
  input: JsonObject,
  streams: boolean,
  dropped: Set<string>,
): string {
  const body: JsonObject = { ...input, model: target.upstreamId };
  for (const field of OURS) {
    if (body[field] === undefined) continue;
    delete body[field];
    dropped.add(field);
  }
  // Usage is always wanted for the call log; the gateway strips it if the caller did not ask.
  if (streams) body.stream_options = { include_usage: true };
  return JSON.stringify(body);
}

/** How many choices the answer will have: one, or one for each prompt. */
export function choicesOf(input: JsonObject): number {
  const { prompt } = input;
  return Array.isArray(prompt) && typeof prompt[0] !== "number" ? prompt.length : 1;
}

/** Characters of English text a token stands for, roughly; only for upstreams that tell no usage. */
const CHARACTERS_PER_TOKEN = 4;

export function estimateTokens(characters: number): number {
  return Math.ceil(characters / CHARACTERS_PER_TOKEN);
}

/** About how many tokens the prompt has, until the upstream says it. */
export function estimatePrompt(input: JsonObject): number {
  let characters = textLength(input.prompt);
  if (Array.isArray(input.messages)) {
    for (const message of input.messages) {
      if (typeof message === "object" && message !== null && "content" in message) {
        characters += textLength(message.content);
      }
    }
  }
  return estimateTokens(characters);
}

/** Characters of a string, of strings in a list, or of the text parts of a message. */
function textLength(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value === "number") return CHARACTERS_PER_TOKEN;
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + textLength(item), 0);
  if (typeof value === "object" && value !== null && "text" in value) return textLength(value.text);
  return 0;
}
