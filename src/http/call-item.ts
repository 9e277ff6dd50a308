import type { CallItem } from "../contract/analytics.ts";

const NANO = 1e9;

/** What is read here of one row of the call log: columns as they are there, times in Unix milliseconds. */
export interface LogRow
  extends Omit<
    CallItem,
    "object" | "started_at" | "ended_at" | "key" | "key_name" | "cost_usd" | "provider_cost_usd"
  > {
  readonly started_at: number;
  readonly ended_at: number | null;
  readonly key_id: string;
  readonly cost_nano_usd: number | null;
  readonly provider_cost_nano_usd: number | null;
}

/** What a key is called, by its id; null for who has none. */
export type KeyName = (id: string) => string | null;

/** A row as the API tells it. */
export function callItem(row: LogRow, keyName: KeyName): CallItem {
  return {
    object: "call",
    id: row.id,
    started_at: iso(row.started_at),
    ended_at: row.ended_at === null ? null : iso(row.ended_at),
    endpoint: row.endpoint,
    model: row.model,
    provider: row.provider,
    key: row.key_id,
    key_name: keyName(row.key_id),
    stream: row.stream,
    request_id: row.request_id,
    referer: row.referer,
    title: row.title,
    status: row.status,
    http_status: row.http_status,
    error: row.error,
    finish_reason: row.finish_reason,
    prompt_tokens: row.prompt_tokens,
    completion_tokens: row.completion_tokens,
    cached_tokens: row.cached_tokens,
    images: row.images,
    pixels: row.pixels,
    usage_source: row.usage_source,
    queue_ms: row.queue_ms,
    first_token_ms: row.first_token_ms,
    total_ms: row.total_ms,
    dropped_params: row.dropped_params,
    cost_usd: usd(row.cost_nano_usd),
    provider_cost_usd: usd(row.provider_cost_nano_usd),
    attempts: row.attempts,
    resumed: row.resumed,
    calls: row.calls,
  };
}

function usd(nano: number | null): number | null {
  return nano === null ? null : nano / NANO;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
