import type { ErrorName } from "../contract/errors.ts";
import { ERRORS, GatewayError } from "../contract/errors.ts";
import { type Generation, GenerationQuery } from "../contract/openrouter.ts";
import { parseQuery } from "../contract/validate.ts";
import { authenticate } from "../gateway/authenticate.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { nameOf } from "../gateway/listing/provider-name.ts";
import type { Caller } from "../types.ts";

/** What is read here of one row of the call log. */
export interface LoggedCall {
  readonly id: string;
  /** Unix milliseconds. */
  readonly started_at: number;
  readonly ended_at: number | null;
  readonly endpoint: string;
  readonly model: string;
  readonly provider: string | null;
  readonly key_id: string;
  readonly stream: boolean;
  readonly request_id: string | null;
  readonly referer: string | null;
  readonly status: string;
  readonly finish_reason: string | null;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly cached_tokens: number;
  readonly first_token_ms: number | null;
  readonly total_ms: number | null;
  /** Billionths of a US dollar. */
  readonly cost_nano_usd: number | null;
  readonly attempts: readonly {
    readonly provider: string;
    readonly upstream_id: string;
    readonly took_ms: number;
    readonly error: string | null;
  }[];
}

/** The read side of the call log, handed in by the composition root. */
export interface CallLog {
  getCall(id: string): Promise<LoggedCall | null>;
  /** Waits until it has what was written so far; false when that takes longer than `timeoutMs`. */
  caughtUp(timeoutMs: number): Promise<boolean>;
}

/** How long a call that has just ended is waited for: the log lags a little. */
const LAG_MS = 2000;
/** How long after its end an anonymous call is told to who knows its id. */
const ANONYMOUS_MS = 10 * 60_000;
const CALL_ID = /^[a-z]+-[0-9a-z]{26}$/;

/**
 * `GET /generation?id=`: one of the caller's own calls, or anybody's for the admin. Whose it is not
 * is not told apart from none.
 * @throws GatewayError 400, 401, 404
 */
export async function getGeneration(
  gateway: Gateway,
  log: CallLog,
  request: Request,
): Promise<Response> {
  const caller = authenticate(request.headers, gateway.auth);
  const { id } = parseQuery(GenerationQuery, new URL(request.url).searchParams);
  const call = CALL_ID.test(id) ? await ended(log, id) : null;
  if (call === null || !maySee(caller, call, Date.now())) {
    const shown = id.slice(0, 64);
    throw new GatewayError("not_found", `There is no ended call '${shown}' of yours.`, {
      param: "id",
    });
  }
  return Response.json(generation(call, (provider) => nameOf(gateway, provider)));
}

async function ended(log: CallLog, id: string): Promise<LoggedCall | null> {
  let call = await log.getCall(id);
  if (call === null || call.status === "running") {
    await log.caughtUp(LAG_MS);
    call = await log.getCall(id);
  }
  return call === null || call.status === "running" || call.status === "refused" ? null : call;
}

/**
 * Its own calls for a key, any for the admin. Anonymous callers are not told apart and see no log: what one
 * of them has is the id, which can't be guessed (80 random bits), and it opens that call for ten
 * minutes, as long as clients ask for what an answer has cost. Pure.
 * @param now Unix milliseconds
 */
export function maySee(
  caller: Pick<Caller, "role" | "keyId">,
  call: Pick<LoggedCall, "key_id" | "ended_at">,
  now: number,
): boolean {
  if (caller.role === "admin") return true;
  if (caller.keyId !== call.key_id) return false;
  return caller.role === "key" || now - (call.ended_at ?? 0) < ANONYMOUS_MS;
}

/** A row in OpenRouter's shape; the SDK wants every key. Pure. */
export function generation(call: LoggedCall, nameOf: (provider: string) => string): Generation {
  const cost = (call.cost_nano_usd ?? 0) / 1e9;
  const reason = call.status === "failed" ? "error" : call.finish_reason;
  const generating =
    call.total_ms === null ? null : Math.max(0, call.total_ms - (call.first_token_ms ?? 0));
  return {
    data: {
      id: call.id,
      upstream_id: null,
      request_id: call.request_id,
      model: call.model,
      provider_name: call.provider === null ? null : nameOf(call.provider),
      provider_responses: call.attempts.map((attempt) => ({
        endpoint_id: `${attempt.provider}/${attempt.upstream_id}`,
        provider_name: nameOf(attempt.provider),
        status: attempt.error === null ? 200 : statusOf(attempt.error),
        latency: attempt.took_ms,
      })),
      created_at: new Date(call.started_at).toISOString(),
      streamed: call.stream,
      cancelled: call.status === "cancelled",
      finish_reason: reason,
      native_finish_reason: reason,
      latency: call.total_ms,
      generation_time: generating,
      moderation_latency: null,
      tokens_prompt: call.prompt_tokens,
      tokens_completion: call.completion_tokens,
      native_tokens_prompt: call.prompt_tokens,
      native_tokens_completion: call.completion_tokens,
      native_tokens_completion_images: null,
      native_tokens_reasoning: null,
      native_tokens_cached: call.cached_tokens,
      num_fetches: null,
      num_input_audio_prompt: null,
      num_media_completion: null,
      num_media_prompt: null,
      num_search_results: null,
      total_cost: cost,
      usage: cost,
      upstream_inference_cost: call.cost_nano_usd === null ? null : cost,
      cache_discount: null,
      is_byok: false,
      api_type: call.endpoint.endsWith("/embeddings") ? "embeddings" : "completions",
      app_id: null,
      data_region: "global",
      external_user: null,
      http_referer: call.referer,
      origin: call.referer ?? "",
      preset_id: null,
      router: null,
      service_tier: null,
      session_id: null,
      user_agent: null,
      web_search_engine: null,
      workspace_id: null,
    },
  };
}

function statusOf(error: string): number | null {
  return isErrorName(error) ? ERRORS[error].status : null;
}

function isErrorName(name: string): name is ErrorName {
  return Object.hasOwn(ERRORS, name);
}
