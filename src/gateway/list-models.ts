import type { ModelItem, ModelList, ModelsQuery } from "../contract/models.ts";
import { decimal } from "../lib/decimal.ts";
import type { Model, Target } from "../types.ts";
import { type Gateway, stateOf } from "./gateway.ts";

/** The sampling parameters of the embedded engines, and of a target of which nobody said more. */
export const TEXT_PARAMETERS: readonly string[] = [
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
const NONE: readonly Target[] = [];

/** The models that can answer, as every client at once wants them described. */
export function servableItems(gateway: Gateway): ModelItem[] {
  const items: ModelItem[] = [];
  for (const model of gateway.models.models()) {
    const targets = gateway.models.targets(model);
    if (isListed(gateway, targets)) items.push(listingOf(model, targets));
  }
  return items;
}

/** The same and those that their providers know and bar: gated ones, and those of other plans. */
export function knownItems(gateway: Gateway): ModelItem[] {
  const items: ModelItem[] = [];
  for (const model of gateway.models.models()) {
    const targets = gateway.models.targets(model);
    if (isListed(gateway, targets) || targets.some(({ barred }) => barred !== null))
      items.push(listingOf(model, targets));
  }
  return items;
}

/** A model whose engine keeps failing may answer again, and is tried; but nobody is told to use it. */
function isListed(gateway: Gateway, targets: readonly Target[]): boolean {
  for (const target of targets) {
    const { state } = stateOf(gateway, target);
    if (state !== "unavailable" && state !== "crashed") return true;
  }
  return false;
}

/** One model of the gateway's, described. */
export function itemOf(gateway: Gateway, model: Model): ModelItem {
  return listingOf(model, gateway.models.targets(model));
}

interface Listing {
  readonly targets: readonly Target[];
  readonly item: ModelItem;
}

const listings = new WeakMap<Model, Listing>();

/** The description, made once for a model and its targets: with 30,000 of them making it takes a while. */
export function listingOf(model: Model, targets: readonly Target[]): ModelItem {
  const known = listings.get(model);
  if (known?.targets === targets) return known.item;
  const item = describe(model, targets);
  searchOf(item);
  listings.set(model, { targets, item });
  return item;
}

/** The target that the list speaks of: one that may be used, of the lowest priority number. */
function bestOf(targets: readonly Target[]): Target | undefined {
  let best: Target | undefined;
  for (const target of targets) {
    if (target.barred !== null) continue;
    if (best === undefined || target.priority < best.priority) best = target;
  }
  return best ?? targets[0];
}

/** What any of its targets takes. */
function parametersOf(targets: readonly Target[], features: readonly string[]): readonly string[] {
  const lists = new Set(targets.map(({ parameters }) => parameters ?? TEXT_PARAMETERS));
  const [only = TEXT_PARAMETERS, ...others] = lists;
  const tools = features.includes("tool_use") ? ["tools", "tool_choice"] : [];
  if (others.length === 0 && tools.length === 0) return only;
  return [...new Set([...only, ...others.flat(), ...tools])];
}

/**
 * One model in the superset shape of the contract; prices and lengths are those of its best target.
 * An unknown price is 0, as is that of what runs here.
 */
export function describe(model: Model, targets: readonly Target[] = NONE): ModelItem {
  const { file } = model;
  const { input, output } = file.modalities;
  const best = bestOf(targets);
  // 0 is a context that nobody told.
  const context = best?.contextLength ?? (file.context_length === 0 ? null : file.context_length);
  const longest = best?.maxOutput ?? file.max_output ?? context;
  const modality = `${input.join("+")}->${output.join("+")}`;
  const parameters = [...parametersOf(targets, file.features)];
  const { prompt, completion, request } = best?.price ?? { prompt: 0, completion: 0, request: 0 };
  return {
    id: model.id,
    object: "model",
    created: file.created,
    owned_by: file.owned_by,
    name: file.name,
    canonical_slug: model.id,
    hugging_face_id: model.id.includes("/") && !model.id.includes(":") ? model.id : null,
    description: file.description,
    category: file.category,
    model_class: file.parameters ?? null,
    tags: file.tags,
    context_length: context,
    max_completion_tokens: longest,
    max_output_length: longest,
    is_gated: best?.barred === "gated",
    available_on_current_plan: best === undefined || best.barred === null,
    concurrency_cost: best?.concurrencyCost ?? 1,
    status: "active",
    features: {
      tool_use: file.features.includes("tool_use"),
      image_input: input.includes("image"),
    },
    input_modalities: input,
    output_modalities: output,
    quantization: best?.quantization ?? file.quantization ?? "unknown",
    supported_sampling_parameters: parameters,
    supported_features: file.features,
    architecture: {
      modality,
      input_modalities: input,
      output_modalities: output,
      tokenizer: file.tokenizer ?? "unknown",
      instruct_type: file.instruct_type ?? null,
    },
    pricing: {
      prompt: decimal(prompt),
      completion: decimal(completion),
      request: decimal(request),
      image: "0",
      input: prompt,
      output: completion,
    },
    top_provider: {
      context_length: context,
      max_completion_tokens: longest,
      is_moderated: false,
    },
    per_request_limits: null,
    supported_parameters: parameters,
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

/** What a search looks at, in lower case where it looks at text. */
interface Search {
  readonly text: string;
  readonly name: string;
  readonly id: string;
  readonly tags: readonly string[];
  readonly abilities: readonly string[];
}

const searches = new WeakMap<ModelItem, Search>();

function searchOf(item: ModelItem): Search {
  const known = searches.get(item);
  if (known !== undefined) return known;
  const made = {
    text: `${item.id} ${item.name} ${item.description}`.toLowerCase(),
    name: item.name.toLowerCase(),
    id: item.id.toLowerCase(),
    tags: Array.isArray(item.tags) ? item.tags : [],
    abilities: [...item.supported_features, ...abilitiesOf(item)],
  };
  searches.set(item, made);
  return made;
}

function matches(item: ModelItem, query: ModelsQuery): boolean {
  const { text, tags, abilities } = searchOf(item);
  const { input_modalities: input, output_modalities: output } = item;
  return (
    (query.q === undefined || text.includes(query.q.toLowerCase())) &&
    (query.category === undefined || item.category === query.category) &&
    (query.family === undefined || text.includes(query.family.toLowerCase())) &&
    (query.tags ?? []).every((tag) => tags.includes(tag)) &&
    (query.modalities ?? []).every((each) => input.includes(each) || output.includes(each)) &&
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
            ? searchOf(item).name
            : searchOf(item).id;
  return (a, b) => {
    const [x, y] = [key(a), key(b)];
    return x < y ? -sign : x > y ? sign : 0;
  };
}
