import { z } from "zod";

export const Category = z.enum([
  "text",
  "code",
  "reasoning",
  "multimodal",
  "embeddings",
  "image",
  "audio",
  "video",
]);
export type Category = z.infer<typeof Category>;

/** A price in US dollars, as a decimal string: a number cannot hold 0.0000006 exactly. */
const Price = z.string();

/**
 * One model, as every client at once wants it: OpenAI's four fields, then those of OpenRouter's SDK,
 * Featherless and HybridInference. Lengths are in tokens, prices in dollars a token, `created` in
 * Unix seconds.
 */
export const ModelItem = z.looseObject({
  id: z.string(),
  object: z.literal("model"),
  created: z.int(),
  owned_by: z.string(),
  name: z.string(),
  canonical_slug: z.string(),
  hugging_face_id: z.string().nullable(),
  description: z.string(),
  category: Category,
  model_class: z.string().nullish(),
  context_length: z.int().min(1).nullable(),
  max_completion_tokens: z.int().min(1).nullable(),
  max_output_length: z.int().min(1).nullable(),
  is_gated: z.boolean(),
  available_on_current_plan: z.boolean(),
  providers: z
    .array(z.string())
    .describe("Ids of the providers that can answer for it; `local` is this machine.")
    .optional(),
  concurrency_cost: z.number().min(0),
  status: z.string(),
  features: z.looseObject({ tool_use: z.boolean(), image_input: z.boolean() }),
  input_modalities: z.array(z.string()),
  output_modalities: z.array(z.string()),
  quantization: z.string(),
  supported_sampling_parameters: z.array(z.string()),
  supported_features: z.array(z.string()),
  architecture: z.looseObject({
    modality: z.string(),
    input_modalities: z.array(z.string()),
    output_modalities: z.array(z.string()),
    tokenizer: z.string(),
    instruct_type: z.string().nullable(),
  }),
  pricing: z.looseObject({
    prompt: Price,
    completion: Price,
    request: Price,
    image: Price,
    input: z.number().min(0),
    output: z.number().min(0),
  }),
  top_provider: z.looseObject({
    context_length: z.int().min(1).nullable(),
    max_completion_tokens: z.int().min(1).nullable(),
    is_moderated: z.boolean(),
  }),
  per_request_limits: z.looseObject({}).nullable(),
  supported_parameters: z.array(z.string()),
  supported_voices: z.array(z.string()).nullable(),
  default_parameters: z.looseObject({}).nullable(),
  links: z.looseObject({ details: z.string() }),
});
export type ModelItem = z.infer<typeof ModelItem>;

/** A page of models. `total` and `total_count` are the number on all pages. */
export const ModelList = z.looseObject({
  object: z.literal("list"),
  data: z.array(ModelItem),
  total_count: z.int().min(0),
  total: z.int().min(0),
  links: z.looseObject({ next: z.string().nullable() }),
  pagination: z.looseObject({
    current_page: z.int().min(1),
    total_pages: z.int().min(0),
    total_items: z.int().min(0),
  }),
});
export type ModelList = z.infer<typeof ModelList>;

const list = z
  .string()
  .transform((text) =>
    text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
  )
  .meta({ description: "Several values are separated by commas or repeated." });

const flag = z
  .enum(["0", "1", "false", "true"])
  .transform((text) => text === "1" || text === "true");

const SORTS = ["id", "name", "created", "context_length", "price"] as const;

/** Every name twice: `-` in front turns the order round. */
const sort = z
  .enum([
    "id",
    "-id",
    "name",
    "-name",
    "created",
    "-created",
    "context_length",
    "-context_length",
    "price",
    "-price",
  ])
  .transform((text) => {
    const descending = text.startsWith("-");
    const by = SORTS.find((name) => name === text.slice(descending ? 1 : 0)) ?? "id";
    return { by, descending };
  });

/**
 * The query of `GET /v1/models`. Filters that are sent must all hold; a list holds
 * when each of its items does. Other parameters are ignored: clients send lists some that servers here and there have.
 */
export const ModelsQuery = z.object({
  q: z.string().describe("Words in the id, name or description.").optional(),
  category: z
    .enum([...Category.options, "coding"])
    .transform((name) => (name === "coding" ? "code" : name))
    .describe("A category; `coding` is `code`.")
    .optional(),
  family: z.string().describe("A family, such as `qwen`: found like `q`.").optional(),
  provider: z
    .string()
    .describe("Only models that this provider can answer for, by its id; `local` is this machine.")
    .optional(),
  tags: list.describe("Tags it must all have, separated by commas or repeated.").optional(),
  modalities: list.describe("Modalities it must take or give: text, image, …").optional(),
  capabilities: list.describe("Abilities it must have: tool_use, image_input, …").optional(),
  context_length_min: z.coerce
    .number()
    .int()
    .min(0)
    .describe("Least context, in tokens; models that don't say theirs are left out.")
    .optional(),
  sort: sort.describe("The order; `-` in front turns it round.").optional(),
  available_on_current_plan: flag.describe("1: only models that the key may use.").optional(),
  page: z.coerce.number().int().min(1).describe("Page, from 1, of `per_page` models.").optional(),
  per_page: z.coerce.number().int().min(1).max(1000).describe("Models on a page.").optional(),
  limit: z.coerce.number().int().min(1).max(1000).describe("The same as `per_page`.").optional(),
  offset: z.coerce.number().int().min(0).describe("Models to leave out at the start.").optional(),
});
export type ModelsQuery = z.infer<typeof ModelsQuery>;
