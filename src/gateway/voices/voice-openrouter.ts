import { ERRORS, type ErrorName, type GatewayError } from "../../contract/errors.ts";
import { Usage } from "../../contract/usage.ts";
import type { JsonObject, Price } from "../../types.ts";
import { chargeNanoUsd } from "../cost.ts";
import type { Voice } from "./voice.ts";

/**
 * OpenRouter's dialect, as its documentation and its SDK's schemas have it: errors with the status as
 * their code, usage with its cost on every answer, finish reasons twice, and a stream that fails ends
 * in a chunk like the others that carries the error.
 * https://openrouter.ai/docs/api/reference/errors-and-debugging
 */
export const openRouterVoice: Voice = {
  keepAlive: ": OPENROUTER PROCESSING\n\n",
  usageUnasked: true,
  provider: (_id, name) => name,
  headers: (callId) => ({ "x-generation-id": callId }),
  failure: (error) => error,
  errorBody: (error, provider) => ({ error: errorOf(error, provider) }),
  errorEvent: (error, provider, { stamp, openChoices }) => ({
    ...stamp,
    error: errorOf(error, provider),
    choices: openChoices.map((index) => ({
      index,
      ...(stamp.object === "text_completion" ? { text: "" } : { delta: { content: "" } }),
      logprobs: null,
      finish_reason: "error",
      native_finish_reason: "error",
    })),
  }),
  plain: (body) => body,
  // The SDK's schema insists on the key.
  whole: (body, price) => ({
    system_fingerprint: null,
    ...body,
    ...(Array.isArray(body.choices) ? { choices: body.choices.map(withNativeReason) } : {}),
    ...usageOf(body.usage, price),
  }),
  event: (event, price) => {
    const { usage } = event;
    const ends = event.choices.some(({ finish_reason: reason }) => typeof reason === "string");
    if (!ends && usage === undefined) return event;
    return { ...event, choices: event.choices.map(withNativeReason), ...usageOf(usage, price) };
  },
};

/** Errors that are about what a provider did, so that its name belongs to them. */
const PROVIDERS_OWN: ReadonlySet<ErrorName> = new Set<ErrorName>([
  "upstream_error",
  "upstream_timeout",
  "overloaded",
  "model_loading",
  "content_filter",
]);

const ERROR_TYPES: Readonly<Record<ErrorName, string>> = {
  invalid_request: "invalid_request",
  context_length_exceeded: "context_length_exceeded",
  invalid_api_key: "authentication",
  insufficient_quota: "payment_required",
  model_not_allowed: "permission_denied",
  endpoint_not_allowed: "permission_denied",
  model_not_found: "not_found",
  not_found: "not_found",
  method_not_allowed: "invalid_request",
  content_filter: "content_policy_violation",
  body_too_large: "payload_too_large",
  unprocessable: "invalid_request",
  unsupported_media_type: "invalid_request",
  rate_limit_exceeded: "rate_limit_exceeded",
  concurrency_limit_exceeded: "rate_limit_exceeded",
  client_closed: "unmapped",
  internal: "server",
  upstream_error: "provider_unavailable",
  upstream_timeout: "timeout",
  model_loading: "provider_overloaded",
  model_too_big: "provider_unavailable",
  overloaded: "provider_overloaded",
  unavailable: "provider_unavailable",
};

/** `type` and `param` stay beside the status, for OpenAI's SDKs under this path. */
function errorOf(error: GatewayError, provider: string | null): JsonObject {
  const { type, code } = ERRORS[error.kind];
  const theirs = provider !== null && PROVIDERS_OWN.has(error.kind);
  return {
    code: error.status,
    message: error.message,
    type,
    param: error.param,
    metadata: {
      error_type: ERROR_TYPES[error.kind],
      ...(code === null ? {} : { provider_code: code }),
      ...(theirs ? { provider_name: provider, raw: error.message } : {}),
    },
  };
}

function withNativeReason(choice: JsonObject): JsonObject {
  return { ...choice, native_finish_reason: choice.finish_reason ?? null };
}

/** The usage with what it cost, in US dollars, where a price is known. */
function usageOf(sent: unknown, price: Price | null): { usage?: Usage } {
  const parsed = Usage.safeParse(sent);
  if (!parsed.success) return {};
  const usage = parsed.data;
  const nano = chargeNanoUsd({
    status: "completed",
    price,
    used: {
      promptTokens: usage.prompt_tokens,
      cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
      completionTokens: usage.completion_tokens,
    },
    answered: true,
    reported: usage.cost ?? null,
    // The usage of an answer that several attempts made says nothing of what each of them charged.
    resumed: false,
  });
  const cost = nano === null ? {} : { cost: nano / 1e9 };
  return { usage: { ...usage, ...cost, is_byok: false } };
}
