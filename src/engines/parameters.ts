import { ChatRequest } from "../contract/chat.ts";
import { CompletionRequest } from "../contract/completions.ts";
import { GatewayError } from "../contract/errors.ts";
import { unknownFields } from "../contract/unknown-fields.ts";
import type { ModelDefaults } from "../types.ts";
import { GUIDE_NAMES, OtherGuides } from "./guided/other-names.ts";
import { OTHER_NAMES } from "./other-names.ts";
import type { Sampling } from "./protocol.ts";
import { samplersOf } from "./sampling/requested.ts";

type TextRequest = ChatRequest | CompletionRequest;

/** `LLAMA_DEFAULT_SEED`: llama.cpp takes it for "choose one yourself". */
const RESERVED_SEED = 0xff_ff_ff_ff;

/**
 * What the request asks for; then the model's own defaults, then OpenAI's. `randomSeed` is taken when
 * it sends none. Throws a 400 that names the parameter where two of them contradict each other.
 */
export function samplingOf(
  request: TextRequest,
  randomSeed: number,
  defaults: ModelDefaults,
): Sampling {
  return {
    ...samplersOf(request, defaults),
    seed: seedBits(request.seed ?? randomSeed),
  };
}

/** Any integer as the 32 bits llama.cpp takes, without its one reserved value. */
export function seedBits(seed: number): number {
  const bits = Number(BigInt.asUintN(32, BigInt(Math.trunc(seed))));
  return bits === RESERVED_SEED ? RESERVED_SEED - 1 : bits;
}

/** The request's stop strings and the model's own. */
export function stopsOf(request: TextRequest, ofModel: readonly string[]): string[] {
  const own = typeof request.stop === "string" ? [request.stop] : (request.stop ?? []);
  return [...own, ...ofModel];
}

export function smaller(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

type Rule = (value: unknown) => boolean;

const isSet: Rule = () => true;
const not =
  (...neutral: unknown[]): Rule =>
  (value) =>
    !neutral.includes(value);

interface Refusal {
  readonly refused: Rule;
  /** What is not supported, in words. */
  readonly what: string;
}

/** Lists that forbid or force words. An empty one asks for nothing. */
const isFilled: Rule = (value) => !Array.isArray(value) || value.length > 0;

const refusal = (name: string, refused: Rule, besides = ""): readonly [string, Refusal] => [
  name,
  { refused, what: `'${name}'${besides}` },
];

/** Leaving these out would give another answer than the one asked for. */
const REFUSED: ReadonlyMap<string, Refusal> = new Map([
  refusal("n", not(1), " other than 1"),
  refusal("best_of", not(0, 1), " other than 1"),
  refusal("suffix", not("")),
  refusal(
    "tools",
    (value) => Array.isArray(value) && value.some((tool) => fieldOf(tool, "type") !== "function"),
    " other than functions",
  ),
  refusal(
    "modalities",
    (value) => !Array.isArray(value) || value.some((item) => item !== "text"),
    " other than text",
  ),
  refusal("audio", isSet),
  refusal("custom_token_bans", isFilled, ": give these tokens a 'logit_bias' of -100"),
  refusal("banned_tokens", isFilled, ": give these tokens a 'logit_bias' of -100"),
  refusal("bad_words", isFilled, ": give its tokens a 'logit_bias' of -100"),
  refusal("banned_strings", isFilled, ": give their tokens a 'logit_bias' of -100"),
  refusal("structural_tag", isSet, ": use tools, or a guided_* parameter"),
]);

/** Known, and not honoured by this engine yet. True: the value asks for something. */
const IGNORED: ReadonlyMap<string, Rule> = new Map(
  Object.entries({
    service_tier: not("auto", "default"),
    store: not(false),
  }),
);

/** What steers an answer and is honoured, as lists of models name it. */
export const LOCAL_PARAMETERS: readonly string[] = [
  ...["max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "min_p"],
  ...["seed", "stop"],
  ...["presence_penalty", "frequency_penalty", "repetition_penalty", "logit_bias"],
  ...["xtc_probability", "xtc_threshold", "dry_multiplier", "dry_base", "dry_allowed_length"],
  ...["dry_range", "dry_sequence_breakers", "chat_template_kwargs", "add_generation_prompt"],
  ...["dynatemp_min", "dynatemp_max", "dynatemp_exponent", "top_a", "tfs", "typical_p"],
  ...["epsilon_cutoff", "eta_cutoff", "top_n_sigma", "smoothing_factor", "smoothing_curve"],
  ...["mirostat", "mirostat_mode", "mirostat_tau", "mirostat_eta", "no_repeat_ngram_size"],
  ...["min_tokens", "stop_token_ids", "include_stop_str_in_output", "ignore_eos"],
  ...["allowed_token_ids"],
  ...["skip_special_tokens"],
  ...["tools", "tool_choice", "parallel_tool_calls", "functions", "function_call"],
  ...["include_reasoning", "continue_final_message", "logprobs", "top_logprobs", "echo"],
  ...["response_format", "guided_json", "guided_regex", "guided_choice", "guided_grammar"],
];

/** Honoured here or in the gateway, or of no effect on the answer. */
const HONOURED = new Set([
  ...LOCAL_PARAMETERS.filter((name) => !REFUSED.has(name)),
  ...OTHER_NAMES,
  ...GUIDE_NAMES,
  ...["model", "messages", "prompt", "stream", "stream_options"],
  ...["user", "metadata", "prompt_cache_key", "safety_identifier"],
]);

/** The names of all parameters that this engine would leave out or refuse. Never throws. */
export function unsupportedNames(request: { readonly [name: string]: unknown }): string[] {
  return Object.entries(request)
    .filter(([name, value]) => {
      if (value === null || value === undefined || HONOURED.has(name)) return false;
      return REFUSED.get(name)?.refused(value) ?? (IGNORED.get(name) ?? isSet)(value);
    })
    .map(([name]) => name)
    .concat(holdsMedia(request.messages) ? ["messages"] : []);
}

/**
 * Refuses what this engine cannot do and an answer would be wrong without; returns the names of
 * the other parameters it leaves out. A parameter at its neutral value asks for nothing.
 */
export function unsupportedParameters(request: TextRequest): string[] {
  const dropped: string[] = [];
  for (const [name, value] of Object.entries(request)) {
    if (value === null || value === undefined || HONOURED.has(name)) continue;
    // Told with its place, by what reads them.
    if (name === "tools") continue;
    const rule = REFUSED.get(name);
    if (rule?.refused(value))
      throw new GatewayError(
        "invalid_request",
        `This model's engine does not support ${rule.what}.`,
        { param: name, fault: "unsupported" },
      );
    if (rule === undefined && (IGNORED.get(name) ?? isSet)(value)) dropped.push(name);
  }
  return dropped;
}

/** Read by the gateway, or told by their own names. */
const NOT_LOOKED_INTO = new Set(["stream_options", "audio", "prediction", "web_search_options"]);
const looked = (shape: object) =>
  Object.entries({ ...shape, ...OtherGuides.shape }).filter(([name]) => !NOT_LOOKED_INTO.has(name));
const OF_CHATS = looked(ChatRequest.shape);
const OF_COMPLETIONS = looked(CompletionRequest.shape);

/** The names of fields inside of what a request sends that nobody here reads: `messages.zzz`. */
export function unreadFields(request: TextRequest): string[] {
  const shape = "messages" in request ? OF_CHATS : OF_COMPLETIONS;
  const unread = shape.flatMap(([name, schema]) =>
    unknownFields(schema, Reflect.get(request, name), name),
  );
  return isBegunEarlier(request.messages) ? [...unread, "messages.prefix"] : unread;
}

/** Whether a message that is not the last one is called the beginning of the answer. */
function isBegunEarlier(messages: unknown): boolean {
  const earlier = Array.isArray(messages) ? messages.slice(0, -1) : [];
  return earlier.some((message) => fieldOf(message, "prefix") === true);
}

/** Whether a message has a part that is no text. */
function holdsMedia(messages: unknown): boolean {
  if (!Array.isArray(messages)) return false;
  return messages.some((message) => {
    const content = fieldOf(message, "content");
    if (!Array.isArray(content)) return false;
    return content.some((part) => !["text", "refusal"].includes(String(fieldOf(part, "type"))));
  });
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
