import { answersAsked } from "../../lib/answers-asked.ts";
import type { JsonObject } from "../../types.ts";

/** What templates put around a message, and around all, in tokens: more than any known one does. */
const PER_MESSAGE = 16;
const PER_PROMPT = 64;
const PER_TOOLS = 512;
/** Servers' own numbers for a picture of usual size go from 260 to 1,500. */
const PER_IMAGE = 1_500;
/** Parts of a message that are no text. */
const MEDIA: ReadonlySet<string> = new Set(["image_url", "video_url", "input_audio", "file"]);

/** Prompts of one request: completions take a list of them, embeddings a list of inputs. */
export interface PromptEstimate {
  /** Tokens all of them have together, rather too many than too few. */
  readonly tokens: number;
  /** How many answers there will be. */
  readonly answers: number;
}

/** Fields of the contract that no server puts into a prompt. */
const NOT_PROMPT: ReadonlySet<string> = new Set([
  ...["model", "models", "provider", "route", "plugins", "transforms", "user", "metadata", "stop"],
  ...["stream_options", "logit_bias", "stop_token_ids", "dry_sequence_breakers", "modalities"],
  ...["session_id", "prompt_cache_key", "safety_identifier", "service_tier", "reasoning_effort"],
  ...["verbosity", "encoding_format", "usage", "echo", "tools", "functions"],
]);

/**
 * About how many tokens a request's prompt has: three letters a token, two bytes beyond ASCII. Real
 * text has fewer; what has more is charged when it is counted. What the contract doesn't know counts too:
 * it is sent on, and may become part of a prompt (`suffix`, `documents`, a template's arguments).
 */
export function estimatePrompt(input: JsonObject): PromptEstimate {
  const { messages, prompt, tools, functions } = input;
  const size = { ascii: 0, others: 0, tokens: PER_PROMPT };
  for (const [name, value] of Object.entries(input))
    if (typeof value !== "number" && !NOT_PROMPT.has(name)) add(size, value);
  if (Array.isArray(messages)) size.tokens += messages.length * PER_MESSAGE;
  for (const more of [tools, functions]) {
    if (more === undefined || more === null) continue;
    size.tokens += PER_TOOLS;
    add(size, JSON.stringify(more));
  }
  return {
    tokens: Math.ceil(size.tokens + size.ascii / 3 + size.others / 2),
    answers: answersAsked(prompt),
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
    for (const [name, item] of Object.entries(value)) {
      if (MEDIA.has(name)) size.tokens += PER_IMAGE;
      else add(size, item);
    }
  }
}
