import type { ModelItem, ModelList, ModelsQuery } from "../contract/models.ts";
import type { Model } from "../types.ts";
import { type Gateway, stateOf } from "./gateway.ts";

const TEXT_PARAMETERS = [
  "max_tokens",
  "temperature",
  "top_p",
  "top_k",
  "min_p",
  "presence_penalty",
  "frequency_penalty",
  "repetition_penalty",
  "logit_bias",
  "seed",
  "stop",
];

const DEFAULT_PAGE = 1000;

/** The models that can answer, as every client at once wants them described. */
export function servableItems(gateway: Gateway): ModelItem[] {
  return gateway.models
    .models()
    .filter((model) => isListed(gateway, model))
    .map(describe);
}

/** A model whose engine keeps failing may answer again, and is tried; but nobody is told to use it. */
function isListed(gateway: Gateway, model: Model): boolean {
  return gateway.models.targets(model).some((target) => {
    const { state } = stateOf(gateway, target);
    return state !== "unavailable" && state !== "crashed";
  });
}

/** One model in the superset shape of the contract. Prices are 0: what runs here costs no one a fee. */
export function describe(model: Model): ModelItem {
  const { file } = model;
  const { input, output } = file.modalities;
  // 0 is a context that nobody told.
  const context = file.context_length === 0 ? null : file.context_length;
  const longest = file.max_output ?? context;
  const modality = `${input.join("+")}->${output.join("+")}`;
  return {
    id: model.id,
    object: "model",
    created: file.created,
    owned_by: file.owned_by,
    name: file.name,
    canonical_slug: model.id,
    hugging_face_id: model.id.includes("/") ? model.id : null,
    description: file.description,
    category: file.category,
    model_class: file.parameters ?? null,
    tags: file.tags,
    context_length: context,
    max_completion_tokens: longest,
    max_output_length: longest,
    is_gated: false,
    available_on_current_plan: true,
    concurrency_cost: 1,
    status: "active",
    features: {
      tool_use: file.features.includes("tool_use"),
      image_input: input.includes("image"),
    },
    input_modalities: input,
    output_modalities: output,
    quantization: file.quantization ?? "unknown",
    supported_sampling_parameters: TEXT_PARAMETERS,
    supported_features: file.features,
    architecture: {
      modality,
      input_modalities: input,
      output_modalities: output,
      tokenizer: file.tokenizer ?? "unknown",
      instruct_type: file.instruct_type ?? null,
    },
    pricing: { prompt: "0", completion: "0", request: "0", image: "0", input: 0, output: 0 },
    top_provider: {
      context_length: context,
      max_completion_tokens: longest,
      is_moderated: false,
    },
    per_request_limits: null,
    supported_parameters: TEXT_PARAMETERS,
    supported_voices: null,
    default_parameters: Object.keys(file.defaults).length === 0 ? null : file.defaults,
    links: { details: `/v1/models/${model.id}` },
  };
}

/** Filters, sorts and cuts out a page. `sent` is the query as it came, for the link to the next page. Pure. */
export function pageOfModels(
  items: readonly ModelItem[],
  query: ModelsQuery,
  sent: URLSearchParams,
): ModelList {
  const found = items.filter((item) => matches(item, query));
  if (query.sort !== undefined) found.sort(order(query.sort.by, query.sort.descending));
  const size = query.per_page ?? query.limit ?? DEFAULT_PAGE;
  const start = query.page === undefined ? (query.offset ?? 0) : (query.page - 1) * size;
  const end = start + size;
  return {
    object: "list",
    data: found.slice(start, end),
    total_count: found.length,
    total: found.length,
    links: { next: end < found.length ? nextPage(sent, size, end) : null },
    pagination: {
      current_page: Math.floor(start / size) + 1,
      total_pages: Math.ceil(found.length / size),
      total_items: found.length,
    },
  };
}

function nextPage(sent: URLSearchParams, limit: number, offset: number): string {
  const next = new URLSearchParams(sent);
  for (const name of ["page", "per_page", "limit", "offset"]) next.delete(name);
  next.set("limit", String(limit));
  next.set("offset", String(offset));
  return `/v1/models?${next}`;
}

function matches(item: ModelItem, query: ModelsQuery): boolean {
  const text = `${item.id} ${item.name} ${item.description}`.toLowerCase();
  const tags = Array.isArray(item.tags) ? item.tags : [];
  const abilities = [...item.supported_features, ...abilitiesOf(item)];
  const modalities = [...item.input_modalities, ...item.output_modalities];
  return (
    (query.q === undefined || text.includes(query.q.toLowerCase())) &&
    (query.category === undefined || item.category === query.category) &&
    (query.family === undefined || text.includes(query.family.toLowerCase())) &&
    (query.tags ?? []).every((tag) => tags.includes(tag)) &&
    (query.modalities ?? []).every((modality) => modalities.includes(modality)) &&
    (query.capabilities ?? []).every((ability) => abilities.includes(ability)) &&
    (query.context_length_min === undefined ||
      (item.context_length ?? 0) >= query.context_length_min) &&
    (query.available_on_current_plan !== true || item.available_on_current_plan)
  );
}

function abilitiesOf(item: ModelItem): string[] {
  return Object.entries(item.features).flatMap(([name, has]) => (has === true ? [name] : []));
}

function order(by: string, descending: boolean): (a: ModelItem, b: ModelItem) => number {
  const sign = descending ? -1 : 1;
  const key = (item: ModelItem): string | number =>
    by === "created"
      ? item.created
      : by === "context_length"
        ? (item.context_length ?? 0)
        : by === "price"
          ? item.pricing.input
          : by === "name"
            ? item.name.toLowerCase()
            : item.id.toLowerCase();
  return (a, b) => {
    const [x, y] = [key(a), key(b)];
    return x < y ? -sign : x > y ? sign : 0;
  };
}
