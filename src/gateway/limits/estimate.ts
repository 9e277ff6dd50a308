import type { JsonObject } from "../../types.ts";

/** What templates put around a message, and around all, in tokens: more than any known one does. */
const PER_MESSAGE = 16;
const PER_PROMPT = 64;
const PER_TOOLS = 512;
/** Servers' own numbers for a picture of usual size go from 260 to 1,500. */
const PER_IMAGE = 1_500;

/** Prompts of one request: completions take a list of them, embeddings a list of inputs. */
export interface PromptEstimate {
  /** Tokens all of them have together, rather too many than too few. */
  readonly tokens: number;
  /** How many answers there will be. */
  readonly answers: number;
}

/**
 * About how many tokens a request's prompt has: three letters a token, two bytes beyond ASCII. Real
 * text has fewer; what has more is charged when it is counted.
 */
export function estimatePrompt(input: JsonObject): PromptEstimate {
  const { messages, prompt, tools, functions } = input;
  const size = { ascii: 0, others: 0, tokens: PER_PROMPT };
  add(size, messages ?? prompt ?? input.input ?? input.text ?? null);
  if (Array.isArray(messages)) size.tokens += messages.length * PER_MESSAGE;
  for (const more of [tools, functions]) {
    if (more === undefined || more === null) continue;
    size.tokens += PER_TOOLS;
    add(size, JSON.stringify(more));
  }
  return {
    tokens: Math.ceil(size.tokens + size.ascii / 3 + size.others / 2),
    answers: Array.isArray(prompt) && typeof prompt[0] !== "number" ? prompt.length : 1,
  };
}

interface Size {
  ascii: number;
  others: number;
  tokens: number;
}

function add(size: Size, value: unknown): void {
  if (typeof value === "string") {
    // What is over the length are the further bytes of characters that are not ASCII.
    size.others += Buffer.byteLength(value) - value.length;
    size.ascii += value.length;
  } else if (typeof value === "number") size.tokens += 1;
  else if (Array.isArray(value)) for (const item of value) add(size, item);
  else if (typeof value === "object" && value !== null) {
    if ("image_url" in value || "video_url" in value || "input_audio" in value || "file" in value)
      size.tokens += PER_IMAGE;
    else for (const item of Object.values(value)) add(size, item);
  }
}
