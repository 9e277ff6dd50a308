import { type PromptSize, promptSize } from "../lib/prompt-size.ts";
import type { JsonObject, Target } from "../types.ts";

/**
 * The answer's limit to send, in tokens; null to send none. What was asked is clamped to what the
 * target gives and to what the context likely leaves. When nothing was asked, one is sent all the same
 * where it can do no harm, since servers' own defaults go down to 16: it fits the context however the
 * prompt is tokenized, and leaves a chat at least half of the context.
 */
export function answerLimit(
  target: Target,
  request: JsonObject,
  prefill: string | null,
): number | null {
  const asked = request.max_completion_tokens ?? request.max_tokens;
  const { contextLength, maxOutput } = target;
  if (typeof asked === "number") {
    const most = Math.min(asked, maxOutput ?? asked);
    if (contextLength === null) return most;
    const room = contextLength - sizeOf(request, prefill).likely;
    // Where nothing seems to be left the server, who can count, says so.
    return room < 1 ? most : Math.min(most, room);
  }
  if (contextLength === null) return null;
  const { most, media } = sizeOf(request, prefill);
  // What a picture takes nobody knows.
  if (media > 0) return null;
  const room = contextLength - most;
  const enough = Array.isArray(request.messages) ? contextLength / 2 : 1;
  if (maxOutput !== null && maxOutput <= room) return maxOutput;
  return room >= enough ? Math.floor(room) : null;
}

function sizeOf(request: JsonObject, prefill: string | null): PromptSize {
  return promptSize(prefill === null ? request : { ...request, prefill });
}

/** About how many tokens the prompt has, until the upstream says it. */
export function estimatePrompt(request: JsonObject): number {
  const { prompt, messages } = request;
  let characters = 0;
  let tokens = 0;
  const count = (value: unknown): void => {
    if (typeof value === "string") characters += value.length;
    else if (typeof value === "number") tokens += 1;
    else if (Array.isArray(value)) for (const item of value) count(item);
    else if (typeof value === "object" && value !== null && "text" in value) count(value.text);
  };
  count(prompt);
  if (Array.isArray(messages)) for (const message of messages) count(message?.content);
  return tokens + estimateTokens(characters);
}

/** Characters of English text a token stands for, roughly; only for upstreams that tell no usage. */
export function estimateTokens(characters: number): number {
  return Math.ceil(characters / 4);
}
