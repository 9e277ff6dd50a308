import { Category } from "../contract/models.ts";
import { own } from "../lib/own.ts";
import type { Price } from "../types.ts";
import type { ListedUpscaler } from "./listed-upscalers.ts";
import type { Modalities } from "./settle-providers.ts";

/**
 * One model as a provider's own list describes it. Lists come in many shapes (OpenAI, Featherless,
 * OpenRouter, HybridInference, FlexAI, vLLM, llama.cpp server, Ollama, LM Studio): what can be read is
 * read, what can't is unknown, and nothing that a list says is a reason to fail.
 */
export interface ListedModel {
  /** What the provider calls it. */
  readonly id: string;
  /** Its repository on the hub, if the list says so. */
  readonly hub: string | null;
  readonly name: string | null;
  readonly description: string;
  /** Unix seconds; 0 where nobody said. */
  readonly created: number;
  readonly owner: string | null;
  /** Tokens. */
  readonly contextLength: number | null;
  readonly maxOutput: number | null;
  readonly category: Category;
  readonly modalities: Modalities;
  readonly features: readonly string[];
  readonly tags: readonly string[];
  /** As people say it: `70B`. */
  readonly parameters: string | null;
  readonly quantization: string | null;
  readonly price: Price | null;
  /** Units of the provider's concurrency that a call takes. */
  readonly units: number | null;
  /** Why it may not be used: its weights are gated, or it is not on the key's plan. */
  readonly barred: "gated" | "plan" | null;
  /** Names of the request parameters it takes. */
  readonly takes: readonly string[] | null;
  /** What it is called where it enlarges images; absent on all others. */
  readonly upscaler?: ListedUpscaler;
}

type Fields = { readonly [key: string]: unknown };

const NO_FIELDS: Fields = {};
const LONGEST_ID = 256;
const LONGEST_TEXT = 2_000;
/** Tags and the like of one model. */
const MOST_WORDS = 256;

/** Null for an item without a usable id. Pure; never throws. */
export function readListed(item: unknown): ListedModel | null {
  const fields = fieldsOf(typeof item === "string" ? { id: item } : item);
  const id = text(fields.id) ?? text(fields.model) ?? text(fields.name);
  if (id === null || id.length > LONGEST_ID || /[\p{C}\s]/u.test(id)) return null;
  const details = fieldsOf(fields.details);
  const meta = fieldsOf(fields.meta);
  const top = fieldsOf(fields.top_provider);
  const modalities = modalitiesOf(fields);
  return {
    id,
    hub: hubOf(fields, id),
    name: text(fields.name)?.slice(0, LONGEST_ID) ?? null,
    description: (text(fields.description) ?? "").slice(0, LONGEST_TEXT),
    created: createdOf(fields),
    owner: text(fields.owned_by)?.slice(0, LONGEST_ID) ?? null,
    contextLength: firstCount(
      top.context_length,
      fields.context_length,
      fields.max_model_len,
      fields.loaded_context_length,
      fields.max_context_length,
      fields.context_window,
      meta.n_ctx,
      meta.n_ctx_train,
    ),
    maxOutput: firstCount(
      top.max_completion_tokens,
      fields.max_completion_tokens,
      fields.max_output_length,
      fields.max_output_tokens,
    ),
    category: categoryOf(fields, modalities, id),
    modalities,
    features: featuresOf(fields),
    tags: texts(fields.tags),
    parameters:
      text(details.parameter_size)?.slice(0, LONGEST_ID) ??
      sizeIn(text(fields.model_class)) ??
      sizeIn(id),
    quantization:
      (text(details.quantization_level) ?? text(fields.quantization))?.slice(0, LONGEST_ID) ?? null,
    price: priceOf(fieldsOf(fields.pricing)),
    units: firstNumber(fields.concurrency_cost, fields.concurrency_use),
    barred:
      fields.is_gated === true
        ? "gated"
        : fields.available_on_current_plan === false
          ? "plan"
          : null,
    takes: Array.isArray(fields.supported_parameters) ? texts(fields.supported_parameters) : null,
  };
}

/** `8x7b` counts as its experts do together; of several sizes in a name the first is the whole. */
const SIZE = /(?:^|[^a-z0-9.])(?:(\d+)x)?(\d+(?:\.\d+)?)b(?![a-z0-9])/i;

function sizeIn(name: string | null): string | null {
  const match = name === null ? null : SIZE.exec(name);
  if (match === null) return null;
  return `${match[1] === undefined ? "" : `${match[1]}x`}${match[2]}B`;
}

/** Billions of parameters in `70B`, `8x7B`, `494.03M`; null where it can't be told. */
export function billions(size: string | null): number | null {
  const match = size === null ? null : /^(?:(\d+)x)?(\d+(?:\.\d+)?)\s*([BM])$/i.exec(size.trim());
  if (match === null) return null;
  const each = Number(match[2]) / (match[3]?.toUpperCase() === "M" ? 1_000 : 1);
  return Number(match[1] ?? 1) * each;
}

function hubOf(fields: Fields, id: string): string | null {
  const told = text(fields.hugging_face_id);
  // vLLM: `root` is what it has loaded, `parent` the model below an adapter.
  const root = fields.parent == null ? text(fields.root) : null;
  const hub = told ?? root;
  return hub !== null && hub !== id && /^[\w.-]+\/[\w.-]+$/.test(hub) && !hub.startsWith(".")
    ? hub
    : null;
}

function createdOf(fields: Fields): number {
  const { created, created_at: at, modified_at: modified } = fields;
  if (typeof created === "number" && Number.isFinite(created) && created > 0)
    return Math.floor(created > 1e11 ? created / 1_000 : created);
  const parsed = Date.parse(text(at) ?? text(modified) ?? "");
  return Number.isNaN(parsed) ? 0 : Math.max(0, Math.floor(parsed / 1_000));
}

function categoryOf(fields: Fields, { input, output }: Modalities, id: string): Category {
  const told = text(fields.category)?.toLowerCase();
  const known = Category.safeParse(told === "coding" ? "code" : told);
  if (known.success) return known.data;
  if (/embed/.test(`${text(fields.type) ?? ""} ${texts(fields.output_modalities).join(" ")}`))
    return "embeddings";
  const made = (["image", "audio", "video"] as const).find((kind) => output.includes(kind));
  if (made !== undefined && !output.includes("text")) return made;
  if (input.length > 1) return "multimodal";
  return /coder|codestral|starcoder/i.test(id) ? "code" : "text";
}

const MODALITIES = ["text", "image", "audio", "video", "file"] as const;

function modalitiesOf(fields: Fields): Modalities {
  const architecture = fieldsOf(fields.architecture);
  const [from = "", to = ""] = (text(architecture.modality) ?? "").split("->");
  const told = texts(fields.input_modalities ?? architecture.input_modalities);
  const made = texts(fields.output_modalities ?? architecture.output_modalities);
  const sees =
    fieldsOf(fields.features).image_input === true ||
    texts(fields.capabilities).some((each) => /^(?:vision|multimodal|image_input)$/.test(each)) ||
    text(fields.type) === "vlm";
  const input = MODALITIES.filter(
    (each) =>
      told.includes(each) ||
      (told.length === 0 && from.split("+").includes(each)) ||
      (each === "image" && sees),
  );
  const output = MODALITIES.filter(
    (each) => made.includes(each) || (made.length === 0 && to.split("+").includes(each)),
  );
  const takesText = input.includes("text") || input.length === 0 || (told.length === 0 && sees);
  return {
    input: takesText ? ["text", ...input.filter((each) => each !== "text")] : input,
    output: output.length === 0 ? ["text"] : output,
  };
}

/** Others' words for what a model can do, in ours. */
const ABILITIES: Readonly<Record<string, string>> = {
  tools: "tool_use",
  tool_use: "tool_use",
  tool_choice: "tool_use",
  function_calling: "tool_use",
  json_mode: "json_mode",
  response_format: "json_mode",
  structured_outputs: "json_schema",
  json_schema: "json_schema",
  reasoning: "reasoning",
  thinking: "reasoning",
};

function featuresOf(fields: Fields): string[] {
  const said = [
    ...texts(fields.supported_features),
    ...texts(fields.supported_parameters),
    ...texts(fields.capabilities),
    ...texts(fields.labels),
    ...Object.entries(fieldsOf(fields.features)).flatMap(([name, has]) =>
      has === true ? [name] : [],
    ),
  ];
  return [...new Set(said.flatMap((name) => own(ABILITIES, name.toLowerCase()) ?? []))];
}

/** Dollars a token. What is no price (OpenRouter's -1 for its router) is none. */
function priceOf(pricing: Fields): Price | null {
  const prompt = dollars(pricing.prompt);
  const completion = dollars(pricing.completion);
  if (prompt === null || completion === null) return null;
  return {
    prompt,
    cached: dollars(pricing.input_cache_read) ?? dollars(pricing.cached_input),
    completion,
    request: dollars(pricing.request) ?? 0,
    image: dollars(pricing.image_output),
  };
}

function dollars(value: unknown): number | null {
  const amount = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof amount === "number" && amount >= 0 && amount <= 100 ? amount : null;
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : NO_FIELDS;
}

function text(value: unknown): string | null {
  return typeof value === "string" && value.trim() !== "" ? value.trim() : null;
}

function texts(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  const words = value.slice(0, MOST_WORDS);
  return words.flatMap((each: unknown) => text(each)?.slice(0, LONGEST_ID) ?? []);
}

function firstNumber(...values: unknown[]): number | null {
  for (const value of values)
    if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
  return null;
}

function firstCount(...values: unknown[]): number | null {
  for (const value of values)
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
  return null;
}
