import type { JsonObject, Target } from "../types.ts";

/** What templates put around a message, and around all, in tokens: more than any known one does. */
const PER_MESSAGE = 16;
const PER_PROMPT = 64;
const PER_TOOLS = 512;

/** About how long a prompt is. */
interface PromptSize {
  /** Tokens it likely has, rather too many than too few. */
  readonly likely: number;
  /** Tokens it can have at most: one for each byte. Infinity with images and the like. */
  readonly most: number;
}

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
    const room = contextLength - promptSize(request, prefill).likely;
    // Where nothing seems to be left the server, who can count, says so.
    return room < 1 ? most : Math.min(most, room);
  }
  if (contextLength === null) return null;
  const room = contextLength - promptSize(request, prefill).most;
  const enough = Array.isArray(request.messages) ? contextLength / 2 : 1;
  if (maxOutput !== null && maxOutput <= room) return maxOutput;
  return room >= enough ? Math.floor(room) : null;
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

function promptSize(request: JsonObject, prefill: string | null): PromptSize {
  const { messages, prompt, tools, functions } = request;
  let ascii = 0;
  let others = 0;
  let tokens = PER_PROMPT;
  let bounded = true;
  const count = (value: unknown): void => {
    if (typeof value === "string") {
      // What is over the length are the further bytes of characters that are not ASCII.
      others += Buffer.byteLength(value) - value.length;
      ascii += value.length;
    } else if (typeof value === "number") tokens += 1;
    else if (Array.isArray(value)) for (const item of value) count(item);
    else if (typeof value === "object" && value !== null) {
      if ("image_url" in value || "input_audio" in value || "file" in value || "video_url" in value)
        bounded = false;
      else for (const item of Object.values(value)) count(item);
    }
  };
  count(prompt ?? messages);
  if (Array.isArray(messages)) tokens += messages.length * PER_MESSAGE;
  for (const more of [tools, functions]) {
    if (more === undefined) continue;
    tokens += PER_TOOLS;
    count(JSON.stringify(more));
  }
  if (prefill !== null) count(prefill);
  return {
    likely: Math.ceil(tokens + ascii / 3 + others / 2),
    most: bounded ? tokens + ascii + others : Number.POSITIVE_INFINITY,
  };
}
