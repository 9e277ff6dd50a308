import { storyFor } from "./fake-story.ts";

/** What a request asks of the fake upstream, whatever dialect it came in. */
export interface Asked {
  readonly chat: boolean;
  readonly streams: boolean;
  /** The last user message, or the prompt: what answers are made from. */
  readonly text: string;
  /** The beginning of the answer that is to be gone on with; null for a new answer. */
  readonly prefill: string | null;
  readonly maxTokens: number;
  readonly stops: readonly string[];
  readonly usage: boolean;
  /** The functions that may be called. */
  readonly functions: readonly string[];
  /** Every text of the prompt together. */
  readonly prompt: string;
}

export type Body = Record<string, unknown>;

interface Message {
  readonly role: string;
  readonly text: string;
}

/**
 * When a chat's last message is the beginning of the answer: `flag` where the request must say so
 * (vLLM, SGLang), `always` where such a message is enough (llama.cpp, Ollama, OpenRouter).
 */
export type PrefillRule = "flag" | "always";

/** Texts that were asked for: a prompt that was made from one is known by it, through any chat template. */
const known = new Set<string>();

export function readAsked(body: Body, path: string, rule: PrefillRule): Asked {
  const chat = path.endsWith("/chat/completions") || path.endsWith("/api/chat");
  const native = path.startsWith("/api/");
  const messages = messagesOf(body);
  const { prefill, text } = chat ? begunChat(body, messages, rule) : begunPrompt(body);
  known.add(text);
  const options = fields(body.options);
  const max = [body.max_completion_tokens, body.max_tokens, options.num_predict];
  const stop = body.stop ?? options.stop;
  return {
    chat,
    streams: native ? body.stream !== false : body.stream === true,
    text,
    prefill,
    maxTokens:
      max.find((value): value is number => typeof value === "number" && value > 0) ?? Infinity,
    stops: (Array.isArray(stop) ? stop.map(String) : typeof stop === "string" ? [stop] : []).filter(
      (one) => one !== "",
    ),
    usage: native || fields(body.stream_options).include_usage === true,
    functions: functionsOf(body.tools),
    prompt: chat ? messages.map((message) => message.text).join("\n") : String(body.prompt),
  };
}

function begunChat(body: Body, messages: readonly Message[], rule: PrefillRule) {
  const last = messages.at(-1);
  const text = messages.findLast(({ role }) => role === "user")?.text ?? last?.text ?? "";
  if (typeof body.response_prefix === "string") return { prefill: body.response_prefix, text };
  const told = body.continue_final_message === true || body.add_generation_prompt === false;
  const goesOn = last?.role === "assistant" && (told || rule === "always");
  return { prefill: goesOn ? last.text : null, text };
}

/** A prompt that ends with the beginning of a known text's story goes on with it; another one is a text itself. */
function begunPrompt(body: Body) {
  const prompt = String(Array.isArray(body.prompt) ? body.prompt[0] : body.prompt);
  let text = prompt;
  let prefill: string | null = null;
  for (const candidate of [...known].filter((one) => one !== "" && prompt.includes(one))) {
    const story = storyFor(candidate, lengthOf(String(body.model)));
    for (let n = Math.min(story.length, prompt.length); n > (prefill?.length ?? 0); n--) {
      if (!prompt.endsWith(story.slice(0, n))) continue;
      text = candidate;
      prefill = story.slice(0, n);
    }
  }
  return { prefill, text };
}

/** How many words the story has that a model's name asks for. */
export function lengthOf(model: string): number {
  return Number(/(?:story|random|reasoning)-(\d+)/.exec(model)?.[1] ?? DEFAULT_WORDS);
}

export const DEFAULT_WORDS = 40;

export function messagesOf(body: Body): readonly Message[] {
  if (!Array.isArray(body.messages)) return [];
  return body.messages.map((message) => {
    const { role, content } = fields(message);
    return { role: String(role), text: textOf(content) };
  });
}

/** A message's text, or that of its text parts. */
export function textOf(content: unknown): string {
  if (!Array.isArray(content)) return String(content);
  return content.map((part) => (typeof part?.text === "string" ? part.text : "")).join("");
}

export function fields(value: unknown): Body {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function functionsOf(tools: unknown): readonly string[] {
  if (!Array.isArray(tools)) return [];
  return tools.map((tool) => String(fields(fields(tool).function).name));
}
