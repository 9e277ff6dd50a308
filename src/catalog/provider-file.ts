import { z } from "zod";
import { ChatRequest } from "../contract/chat.ts";
import { CompletionRequest } from "../contract/completions.ts";
import { EmbeddingsRequest } from "../contract/embeddings.ts";
import { routingFields } from "../contract/routing.ts";
import { nearest } from "../lib/nearest.ts";
import { duration, size } from "../lib/units.ts";

/**
 * A provider file (`catalog/providers/<id>.toml`): the facts about one provider, or about one kind of
 * server, as data. The config says which of them are used, with which keys, and under which address.
 * Durations are milliseconds once parsed.
 */

const envName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "expected the name of an environment variable");
const httpUrl = z.url({ protocol: /^https?$/, error: "expected an http(s) URL" });
/** Below the base URL; `false` where the provider has no such endpoint. */
const endpoint = z.union([z.string().startsWith("/"), z.literal(false)]);

/** What it calls each thing that can be asked of it. */
const paths = z.strictObject({
  chat: endpoint.default("/chat/completions"),
  completions: endpoint.default("/completions"),
  embeddings: endpoint.default("/embeddings"),
  /** `/tokenize` and `/detokenize` lie beside `/v1` at some: a path from the host's root begins with `//`. */
  tokenize: endpoint.default(false),
  detokenize: endpoint.default(false),
  models: endpoint.default("/models"),
  /** Where images are enlarged, and the list of what does it. */
  upscale: endpoint.default(false),
  upscalers: endpoint.default(false),
});

/** How it differs from the API it speaks. */
const quirks = z.strictObject({
  /** It takes `stream_options.include_usage`. */
  stream_usage: z.boolean().default(true),
  /** Statuses it answers while a model is cold, which mean "busy" and not what they say elsewhere. */
  cold_status: z.array(z.int().min(400).max(599)).default([]),
  /** It knows the role `developer`; elsewhere it becomes `system`. */
  developer_role: z.boolean().default(true),
  /** What it does with `response_format: json_schema`: enforces it, or only takes `json_object`, or neither. */
  json_schema: z.enum(["enforced", "json_object", "none"]).default("enforced"),
  /** The body of its tokenize endpoint. */
  tokenize_form: z.enum(["vllm", "llamacpp", "text", "tabby"]).default("vllm"),
  /** The key is sent as a bearer token, bare in `x-api-key`, or is `user:password` for HTTP's Basic scheme. */
  auth: z.enum(["bearer", "x-api-key", "basic"]).default("bearer"),
  /**
   * The body of its upscale endpoint: the Stable Diffusion web UIs', Arli AI's (an image and an upscaler,
   * nothing else), or our own.
   */
  upscale_form: z.enum(["webui", "arli", "covey"]).default("webui"),
  /** What its 429, 402 and the like are about: the key (another may do) or all of it. */
  limits_by: z.enum(["key", "provider"]).default("key"),
});

/** How it goes on with an answer that was begun elsewhere. Declared, never tried out. */
const continuation = z.strictObject({
  /**
   * How a chat is told to go on from an assistant message at its end: `assistant` where the message is
   * enough, `continue_final_message` as in vLLM, `response_prefix` as in TabbyAPI; `none` where it can't.
   */
  prefill: z
    .enum(["none", "assistant", "continue_final_message", "response_prefix"])
    .default("none"),
  /** `/completions` takes text as it is, so that a chat can be rendered here and continued there. */
  completions: z.boolean().default(false),
  /** An assistant message's white space at its end is kept: the answer goes on right after it. */
  exact: z.boolean().default(false),
  guided: z.boolean().default(false),
});

/** How long it may be silent, phase by phase. The config can say otherwise. */
const limits = z.strictObject({
  connect: duration.prefault("5s"),
  first_byte: duration.prefault("2m"),
  first_token: duration.prefault("2m"),
  gap: duration.prefault("1m"),
  answer: duration.prefault("10m"),
});

const concurrency = z.strictObject({
  /** Units that may run at once; 0 is no limit that is known. */
  units: z.int().min(0).default(0),
  /** `request`: each call takes one; `size`: by the model's size, as `sizes` says. */
  cost: z.enum(["request", "size"]).default("request"),
  /** Up to so many billion parameters: so many units. In rising order; the last holds for larger ones too. */
  sizes: z
    .array(z.strictObject({ up_to: z.number().positive(), units: z.int().min(1) }))
    .default([]),
});

const discovery = z.strictObject({
  enabled: z.boolean().default(true),
  interval: duration
    .refine((milliseconds) => milliseconds >= 1_000, "expected a second at least")
    .prefault("1h"),
  /** Sent with the request for the list, such as `available_on_current_plan=1`. */
  query: z.string().default(""),
});

/**
 * Translations that are code, in the dialect:
 * `response_format:json_schema`: the schema becomes OpenAI's `response_format`;
 * `regex:choice`: the choices become a regular expression, where `guided_regex` goes;
 * `grammar:choice`, `grammar:regex`: choices, or a regular expression, become a GBNF in `grammar`;
 * `format:choice`: the choices become a JSON Schema in `format`, and the answer's JSON is read back;
 * `dynatemp:range`: llama.cpp's `dynatemp_range` around a `temperature` in the middle.
 */
export const TRANSLATIONS = [
  "response_format:json_schema",
  "regex:choice",
  "grammar:choice",
  "grammar:regex",
  "format:choice",
  "dynatemp:range",
] as const;
export type Translation = (typeof TRANSLATIONS)[number];

const parameterName = z
  .string()
  .min(1)
  .refine(
    (name) => !name.includes(":") || TRANSLATIONS.some((known) => known === name),
    `a name with a colon is one of ${TRANSLATIONS.join(", ")}`,
  );

/** What a request is about, rather than how it is answered. */
const NO_PARAMETERS = ["model", "messages", "prompt", "input", "stream", "stream_options"];

/** Names that a provider file may speak of: the contract's, and OpenRouter's object beside `reasoning_effort`. */
const PARAMETERS: ReadonlySet<string> = new Set(
  [
    ...Object.keys(ChatRequest.shape),
    ...Object.keys(CompletionRequest.shape),
    ...Object.keys(EmbeddingsRequest.shape),
    "reasoning",
  ].filter((name) => !NO_PARAMETERS.includes(name) && !Object.hasOwn(routingFields, name)),
);

/** A key that nothing of ours has would change nothing, silently. */
const ourParameter = z.string().refine((name) => PARAMETERS.has(name), {
  error: ({ input }) => {
    const guess = nearest(String(input), PARAMETERS);
    return `is no parameter of a request${guess === undefined ? "" : `; did you mean "${guess}"?`}`;
  },
});

const images = z.strictObject({
  /** How images in messages must come: `url` takes both, `base64` only data URIs, `none` no images. */
  input: z.enum(["url", "base64", "none"]).default("url"),
  /** The largest it takes: pixels of the longer side, pixels in all, bytes. Larger ones are made smaller here. */
  max_side: z.int().min(1).optional(),
  max_pixels: z.int().min(1).optional(),
  max_bytes: size.optional(),
});

export const ProviderFile = z.strictObject({
  name: z.string().min(1),
  /** Other ids it goes by in the config. */
  aliases: z.array(z.string().min(1)).default([]),
  /** Where people read about it. */
  website: httpUrl.optional(),
  /** The wire format, which is code. */
  dialect: z.enum(["openai", "ollama"]).default("openai"),
  /** Missing for a kind of server that runs anywhere: then the config must say it. */
  base_url: httpUrl.optional(),
  /** Variables that hold its keys; one may hold several, separated by commas. */
  key_env: z.array(envName).default([]),
  /** Whether it answers without a key. */
  key_optional: z.boolean().default(false),
  /** It runs on machines of one's own: its models cost nothing where no price is given. */
  self_hosted: z.boolean().default(false),
  /** What all its models can do, besides what its list says of each: `tool_use`, `json_schema`, … */
  features: z.array(z.string().min(1)).default([]),
  /** Sent with every request. */
  headers: z.record(z.string(), z.string()).default({}),
  /** Whether it may keep or learn from what it is sent, as its terms say. */
  collects_data: z.boolean().default(false),
  paths: paths.prefault({}),
  quirks: quirks.prefault({}),
  continuation: continuation.prefault({}),
  limits: limits.prefault({}),
  concurrency: concurrency.prefault({}),
  discovery: discovery.prefault({}),
  images: images.prefault({}),
  /**
   * Which sampling parameters it takes, before `parameters` takes some away: OpenAI's, or also the
   * extended ones of engines for open weights.
   */
  samplers: z.enum(["openai", "extended"]).default("openai"),
  /**
   * What it calls a sampling parameter, by our name: `mirostat = "mirostat_mode"`; with dots for a
   * field of an object: `guided_regex = "structured_outputs.regex"`; `false` where it has no
   * equivalent, so that it is dropped and told. What is not named here is sent as it came. A name
   * with a colon asks for a translation that is code: `TRANSLATIONS`.
   */
  parameters: z.record(ourParameter, z.union([parameterName, z.literal(false)])).default({}),
  /**
   * Sent whenever the request and the model say nothing, under our names: engines' own defaults differ.
   * `top_k` here is also how "off" is written there, whichever of 0 and -1 the request has.
   */
  explicit: z.record(ourParameter, z.number()).default({}),
  /** `openai`: `explicit` is sent, as above. `engine`: it is not, so that the engine's own defaults hold. */
  sampling_defaults: z.enum(["openai", "engine"]).default("openai"),
});
export type ProviderFile = z.infer<typeof ProviderFile>;
