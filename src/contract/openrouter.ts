import { z } from "zod";
import { ChatChunk, ChatRequest, ChatResponse } from "./chat.ts";
import { CompletionChunk, CompletionRequest, CompletionResponse } from "./completions.ts";
import { EmbeddingsRequest, EmbeddingsResponse } from "./embeddings.ts";
import { ModelItem, ModelList, ModelsQuery } from "./models.ts";
import type { Contract } from "./operations.ts";

/**
 * The same API in OpenRouter's dialect. Shapes are those of OpenRouter's documentation and of the
 * schemas inside `@openrouter/sdk`, which insists on every key that is named here as required.
 */

/** Where it is served. The first one is documented; the others are the same. */
export const OPENROUTER_BASES = ["/api/v1", "/openrouter/v1"] as const;
const [BASE] = OPENROUTER_BASES;

/** Every path that an endpoint of this dialect has. */
export function openRouterPaths(path: string): string[] {
  return OPENROUTER_BASES.map((base) => base + path.slice(BASE.length));
}

export const OpenRouterError = z.object({
  error: z.looseObject({
    code: z.int().describe("The HTTP status, also where the status itself had been sent before."),
    message: z.string(),
    metadata: z
      .looseObject({
        error_type: z.string(),
        provider_name: z.string().optional(),
        raw: z.unknown().optional(),
      })
      .optional(),
  }),
});
export type OpenRouterError = z.infer<typeof OpenRouterError>;

/** The last event of a stream that fails: a chunk like the others, with the error in it. */
export const OpenRouterStreamError = z.looseObject({
  id: z.string(),
  object: z.string(),
  created: z.int(),
  model: z.string(),
  error: OpenRouterError.shape.error,
  choices: z.array(z.looseObject({ index: z.int().min(0), finish_reason: z.literal("error") })),
});
export const OpenRouterChatChunk = z.union([ChatChunk, OpenRouterStreamError]);
export const OpenRouterCompletionChunk = z.union([CompletionChunk, OpenRouterStreamError]);

const list = z.string().transform((text) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== ""),
);

export const OpenRouterModelsQuery = z.object({
  ...ModelsQuery.shape,
  supported_parameters: list.describe("Parameters it must all take, by commas.").optional(),
  output_modalities: list.describe("Modalities it must give: text, image, …").optional(),
});
export type OpenRouterModelsQuery = z.infer<typeof OpenRouterModelsQuery>;

export const ModelsCount = z.object({ data: z.object({ count: z.int().min(0) }) });
export type ModelsCount = z.infer<typeof ModelsCount>;

const price = z.string().describe("US dollars, as a decimal.");

/** One place where a model can be answered. */
export const Endpoint = z.looseObject({
  name: z.string(),
  model_id: z.string(),
  model_name: z.string(),
  provider_name: z.string(),
  tag: z.string().describe("The provider's id, as `provider.order` and `provider.only` take it."),
  context_length: z.int().min(0).describe("Tokens; 0 where nobody said."),
  max_completion_tokens: z.int().nullable(),
  max_prompt_tokens: z.int().nullable(),
  pricing: z.looseObject({ prompt: price, completion: price, request: price }),
  quantization: z.string().nullable(),
  status: z.int().describe("0 where it can answer, -1 where it can't just now."),
  supported_parameters: z.array(z.string()),
  supports_implicit_caching: z.boolean(),
  supports_tool_choice: z.object({
    auto: z.boolean(),
    function: z.boolean(),
    none: z.boolean(),
    required: z.boolean(),
  }),
  latency_last_30m: z.null(),
  throughput_last_30m: z.null(),
  uptime_last_5m: z.null(),
  uptime_last_30m: z.null(),
  uptime_last_1d: z.null(),
});
export type Endpoint = z.infer<typeof Endpoint>;

export const OpenRouterModel = z.object({ data: ModelItem });

export const EndpointList = z.object({
  data: z.looseObject({
    id: z.string(),
    name: z.string(),
    created: z.int(),
    description: z.string(),
    architecture: ModelItem.shape.architecture,
    endpoints: z.array(Endpoint),
  }),
});
export type EndpointList = z.infer<typeof EndpointList>;

export const ProviderList = z.object({
  data: z.array(
    z.looseObject({
      name: z.string(),
      slug: z.string(),
      privacy_policy_url: z.string().nullable(),
      terms_of_service_url: z.string().nullable(),
      status_page_url: z.string().nullable(),
    }),
  ),
});
export type ProviderList = z.infer<typeof ProviderList>;

export const GenerationQuery = z.object({
  id: z.string().min(1).describe("A call's id: `id` of its answer, or its `x-generation-id`."),
});

const tokens = z.int().min(0);
const ms = z.number().min(0).nullable().describe("Milliseconds.");
const usd = z.number().min(0).describe("US dollars.");

/** What the call log has about one call. Nulls are what this gateway does not know or do. */
export const Generation = z.object({
  data: z.looseObject({
    id: z.string(),
    model: z.string(),
    provider_name: z.string().nullable(),
    created_at: z.string(),
    streamed: z.boolean(),
    cancelled: z.boolean(),
    finish_reason: z.string().nullable(),
    native_finish_reason: z.string().nullable(),
    latency: ms,
    generation_time: ms,
    tokens_prompt: tokens,
    tokens_completion: tokens,
    native_tokens_prompt: tokens,
    native_tokens_completion: tokens,
    native_tokens_cached: tokens,
    total_cost: usd,
    usage: usd,
    upstream_inference_cost: usd.nullable(),
    provider_responses: z.array(
      z.looseObject({ provider_name: z.string(), status: z.int().nullable(), latency: z.number() }),
    ),
  }),
});
export type Generation = z.infer<typeof Generation>;

export const KeyInfo = z.object({
  data: z.looseObject({
    label: z.string(),
    usage: usd,
    usage_daily: usd,
    usage_weekly: usd,
    usage_monthly: usd,
    /** Its budget of a day or a month, in US dollars. */
    limit: z.number().nullable(),
    limit_remaining: z.number().nullable(),
    limit_reset: z.enum(["daily", "monthly"]).nullable(),
    is_free_tier: z.boolean(),
    is_management_key: z.boolean(),
    rate_limit: z.object({
      requests: z.int().describe("-1 where there is no limit."),
      interval: z.string(),
      note: z.string(),
    }),
  }),
});
export type KeyInfo = z.infer<typeof KeyInfo>;

export const Credits = z.object({ data: z.object({ total_credits: usd, total_usage: usd }) });
export type Credits = z.infer<typeof Credits>;

const contract = <const C extends Omit<Contract, "dialect">>(value: C) => ({
  ...value,
  dialect: "openrouter" as const,
});
const read = { method: "GET", request: null, auth: "caller", meter: "none" } as const;

/** Every endpoint of this dialect, by its operation. */
export const OPENROUTER = {
  chat: contract({
    operation: "openrouter_chat",
    method: "POST",
    path: `${BASE}/chat/completions`,
    request: ChatRequest,
    response: ChatResponse,
    chunk: OpenRouterChatChunk,
    auth: "caller",
    meter: "tokens",
    summary: "Answer a conversation, in OpenRouter's dialect.",
  }),
  completions: contract({
    operation: "openrouter_completions",
    method: "POST",
    path: `${BASE}/completions`,
    request: CompletionRequest,
    response: CompletionResponse,
    chunk: OpenRouterCompletionChunk,
    auth: "caller",
    meter: "tokens",
    summary: "Continue a text, in OpenRouter's dialect.",
  }),
  embeddings: contract({
    operation: "openrouter_embeddings",
    method: "POST",
    path: `${BASE}/embeddings`,
    request: EmbeddingsRequest,
    response: EmbeddingsResponse,
    auth: "caller",
    meter: "tokens",
    summary: "Turn texts into embeddings, in OpenRouter's dialect.",
  }),
  models: contract({
    ...read,
    operation: "openrouter_models",
    path: `${BASE}/models`,
    query: OpenRouterModelsQuery,
    response: ModelList,
    summary: "List the models that can answer.",
  }),
  count: contract({
    ...read,
    operation: "openrouter_models_count",
    path: `${BASE}/models/count`,
    query: OpenRouterModelsQuery,
    response: ModelsCount,
    summary: "Count the models that can answer.",
  }),
  endpoints: contract({
    ...read,
    operation: "openrouter_endpoints",
    path: `${BASE}/models/{author}/{slug}/endpoints`,
    response: EndpointList,
    summary: "List where a model is answered, and at which price.",
  }),
  model: contract({
    ...read,
    operation: "openrouter_model",
    path: `${BASE}/model/{author}/{slug}`,
    response: OpenRouterModel,
    summary: "Describe one model.",
  }),
  providers: contract({
    ...read,
    operation: "openrouter_providers",
    path: `${BASE}/providers`,
    response: ProviderList,
    summary: "List the providers, the embedded engines among them.",
  }),
  generation: contract({
    ...read,
    operation: "openrouter_generation",
    path: `${BASE}/generation`,
    query: GenerationQuery,
    response: Generation,
    summary: "Tell what one of the caller's own calls used, cost and took.",
  }),
  key: contract({
    ...read,
    operation: "openrouter_key",
    path: `${BASE}/key`,
    response: KeyInfo,
    summary: "Describe the key that asks.",
  }),
  credits: contract({
    ...read,
    operation: "openrouter_credits",
    path: `${BASE}/credits`,
    response: Credits,
    summary: "Tell what the key that asks has spent.",
  }),
};
