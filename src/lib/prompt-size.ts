/** What templates put around a message, around all, and around each of several prompts, in tokens: more than any known one does. */
const PER_MESSAGE = 16;
const PER_PROMPT = 64;
const PER_FURTHER_PROMPT = 4;
const PER_TOOLS = 512;
/** Servers' own numbers for a picture of usual size go from 260 to 1,500. */
const PER_MEDIUM = 1_500;
/** Parts of a message that are no text. */
const MEDIA: ReadonlySet<string> = new Set(["image_url", "video_url", "input_audio", "file"]);

/** How long a request's prompt is, or all of them together where it has several. In tokens. */
export interface PromptSize {
  /** What it likely has, rather too many than too few: three letters a token, two bytes beyond ASCII. */
  readonly likely: number;
  /** What it has at most, however it is tokenized: every token is a byte at least. Only for media it is a guess. */
  readonly most: number;
  /** Images, videos, sounds and files in it. */
  readonly media: number;
}

/** Fields of the contract that no server puts into a prompt. */
const NOT_PROMPT: ReadonlySet<string> = new Set([
  ...["model", "models", "provider", "route", "plugins", "transforms", "user", "metadata", "stop"],
  ...["stream_options", "logit_bias", "stop_token_ids", "allowed_token_ids", "modalities"],
  ...["dry_sequence_breakers"],
  ...["session_id", "prompt_cache_key", "safety_identifier", "service_tier", "reasoning_effort"],
  ...["verbosity", "encoding_format", "usage", "echo", "tools", "functions"],
]);

/**
 * Measures a request's prompt without its model's tokenizer. What the contract doesn't know counts too: it
 * is sent on, and may become part of a prompt (`suffix`, `documents`, a template's arguments).
 */
export function promptSize(request: { readonly [name: string]: unknown }): PromptSize {
  const { messages, prompt, input, tools, functions } = request;
  const sum: Sum = { ascii: 0, others: 0, tokens: PER_PROMPT, media: 0 };
  for (const [name, value] of Object.entries(request))
    if (typeof value !== "number" && !NOT_PROMPT.has(name)) add(sum, value);
  if (Array.isArray(messages)) sum.tokens += messages.length * PER_MESSAGE;
  for (const several of [prompt, input])
    if (Array.isArray(several) && typeof several[0] !== "number")
      sum.tokens += Math.max(0, several.length - 1) * PER_FURTHER_PROMPT;
  for (const more of [tools, functions]) {
    if (more === undefined || more === null) continue;
    sum.tokens += PER_TOOLS;
    add(sum, JSON.stringify(more));
  }
  return {
    likely: Math.ceil(sum.tokens + sum.ascii / 3 + sum.others / 2),
    most: sum.tokens + sum.ascii + sum.others,
    media: sum.media,
  };
}

interface Sum {
  /** Characters, and what their bytes are more than that: those of characters beyond ASCII. */
  ascii: number;
  others: number;
  /** What is counted as such. */
  tokens: number;
  media: number;
}

function add(sum: Sum, value: unknown): void {
  if (typeof value === "string") {
    sum.others += Buffer.byteLength(value) - value.length;
    sum.ascii += value.length;
  } else if (typeof value === "number") sum.tokens += 1;
  else if (Array.isArray(value)) for (const item of value) add(sum, item);
  else if (typeof value === "object" && value !== null) {
    for (const [name, item] of Object.entries(value)) {
      if (MEDIA.has(name)) {
        sum.tokens += PER_MEDIUM;
        sum.media += 1;
      } else add(sum, item);
    }
  }
}
