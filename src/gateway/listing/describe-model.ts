import type { ModelItem } from "../../contract/models.ts";
import { decimal } from "../../lib/decimal.ts";
import type { Model, Price, Target } from "../../types.ts";
import { type Gateway, LOCAL, mayAnswer, stateOf } from "../gateway.ts";
import { unitsOf } from "../limits/units.ts";

/** The parameters of a target of which nobody said more. */
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

const NONE: readonly Target[] = [];
const UNKNOWN: Price = { prompt: 0, cached: null, completion: 0, request: 0, image: null };

/** One model of the gateway's, described. */
export function itemOf(gateway: Gateway, model: Model): ModelItem {
  return listingOf(model, describedBy(gateway, gateway.models.targets(model)));
}

/** The same targets without the embedded one. */
const elsewhere = new WeakMap<readonly Target[], readonly Target[]>();

/**
 * The targets that a model's description speaks of: an embedded one whose weights are not here, or too big,
 * has no say in what others answer, neither in its price nor in its context.
 */
export function describedBy(gateway: Gateway, targets: readonly Target[]): readonly Target[] {
  const own = targets[0];
  if (own?.provider !== LOCAL || targets.length === 1 || mayAnswer(stateOf(gateway, own)))
    return targets;
  const known = elsewhere.get(targets);
  if (known !== undefined) return known;
  const others = targets.slice(1);
  elsewhere.set(targets, others);
  return others;
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
  const { prompt, cached, completion, request } = best?.price ?? UNKNOWN;
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
    providers: [...new Set(targets.map(({ provider }) => provider))],
    concurrency_cost: unitsOf(model, targets),
    status: "active",
    features: {
      tool_use: file.features.includes("tool_use"),
      // What enlarges images takes them as well, and looks at none.
      image_input: input.includes("image") && output.includes("text"),
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
      ...(cached === null ? {} : { input_cache_read: decimal(cached) }),
      // A product of floats may have noise in its last digits.
      input: Number(decimal(prompt)),
      output: Number(decimal(completion)),
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
