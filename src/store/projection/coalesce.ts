import type { CallAttempt } from "../calls.ts";
import { UNKNOWN_ENDPOINT } from "../refusals.ts";
import type { JournalRecord } from "../schema.ts";

/** One row of `calls`, in the order of `COLUMNS`, and how it is counted. */
export interface Row {
  id: string;
  started_at: number;
  ended_at: number | null;
  endpoint: string;
  model: string;
  provider: string | null;
  key_id: string;
  stream: number;
  request_id: string | null;
  referer: string | null;
  title: string | null;
  status: string;
  http_status: number | null;
  error: string | null;
  finish_reason: string | null;
  prompt_tokens: number;
  completion_tokens: number;
  cached_tokens: number;
  images: number;
  pixels: number;
  usage_source: string;
  queue_ms: number | null;
  first_token_ms: number | null;
  total_ms: number | null;
  dropped_params: string;
  cost_nano_usd: number | null;
  provider_cost_nano_usd: number | null;
  attempts: string;
  resumed: number;
  calls: number;
  /** The endpoint in the counters. Not a column: it differs only where a stranger made one up. */
  counted_as: string | null;
  /** How many attempts it took, for the rollups. Not a column either. */
  tries: number;
}

/** What to do to the database, in order. Within `rows` every id occurs once. */
export type Step =
  | { readonly kind: "rows"; readonly rows: Row[] }
  | { readonly kind: "interrupt"; readonly at: number };

/**
 * Folds a batch of records into as few rows as it can: a call that began and ended within it is one
 * row. A record whose `reserve` is not in the batch becomes a row with empty places, which the
 * upsert does not copy over what the database has.
 */
export function coalesce(records: readonly JournalRecord[]): Step[] {
  const steps: Step[] = [];
  let rows = new Map<string, Row>();
  const flush = () => {
    if (rows.size > 0) steps.push({ kind: "rows", rows: [...rows.values()] });
    rows = new Map();
  };
  for (const record of records) {
    switch (record.t) {
      case "boot":
        flush();
        steps.push({ kind: "interrupt", at: Math.round(record.at) });
        break;
      case "progress":
        for (const entry of record.calls) {
          const row = rows.get(entry[0]) ?? emptyRow(entry[0], record.at);
          rows.set(row.id, row);
          if (row.status !== "running") continue;
          row.prompt_tokens = Math.round(entry[1]);
          row.completion_tokens = Math.round(entry[2]);
          row.cached_tokens = Math.round(entry[3]);
          [, , , , row.usage_source, row.queue_ms, row.first_token_ms] = entry;
        }
        break;
      case "reserve":
        if (!rows.has(record.id)) rows.set(record.id, reserved(record));
        break;
      case "settle": {
        const row = rows.get(record.id) ?? emptyRow(record.id, record.at - record.totalMs);
        rows.set(row.id, row);
        // Only the first end of a call counts.
        if (row.status === "running") settle(row, record);
        break;
      }
      case "refuse":
      case "refused": {
        const row = rows.get(record.id) ?? emptyRow(record.id, record.at);
        rows.set(row.id, row);
        if (row.status === "running") refuse(row, record);
        break;
      }
      case "probe":
        break;
    }
  }
  flush();
  return steps;
}

type Of<T extends JournalRecord["t"]> = Extract<JournalRecord, { t: T }>;

/** A call of which only its arrival is known. */
export function emptyRow(id: string, startedAt: number): Row {
  return {
    id,
    started_at: Math.round(startedAt),
    ended_at: null,
    endpoint: "",
    model: "",
    provider: null,
    key_id: "",
    stream: 0,
    request_id: null,
    referer: null,
    title: null,
    status: "running",
    http_status: null,
    error: null,
    finish_reason: null,
    prompt_tokens: 0,
    completion_tokens: 0,
    cached_tokens: 0,
    images: 0,
    pixels: 0,
    usage_source: "none",
    queue_ms: null,
    first_token_ms: null,
    total_ms: null,
    dropped_params: "[]",
    cost_nano_usd: null,
    provider_cost_nano_usd: null,
    attempts: "[]",
    resumed: 0,
    calls: 1,
    counted_as: null,
    tries: 0,
  };
}

function reserved(record: Of<"reserve">): Row {
  const row = emptyRow(record.id, record.at);
  row.endpoint = record.endpoint;
  row.model = record.model;
  row.key_id = record.keyId;
  row.stream = record.stream ? 1 : 0;
  row.request_id = record.requestId;
  row.referer = record.referer;
  row.title = record.title;
  return row;
}

function settle(row: Row, record: Of<"settle">): void {
  row.ended_at = Math.round(record.at);
  row.status = record.status;
  row.http_status = Math.round(record.httpStatus);
  row.error = record.error;
  row.model = record.model ?? row.model;
  row.provider = record.provider;
  row.finish_reason = record.finishReason;
  row.prompt_tokens = Math.round(record.promptTokens);
  row.completion_tokens = Math.round(record.completionTokens);
  row.cached_tokens = Math.round(record.cachedTokens);
  row.images = Math.round(record.images);
  row.pixels = Math.round(record.pixels);
  row.usage_source = record.usageSource;
  row.queue_ms = record.queueMs;
  row.first_token_ms = record.firstTokenMs;
  row.total_ms = record.totalMs;
  row.dropped_params = JSON.stringify(record.droppedParams);
  row.cost_nano_usd = wholeOrNull(record.costNanoUsd);
  row.provider_cost_nano_usd = wholeOrNull(record.providerCostNanoUsd);
  row.attempts = JSON.stringify(record.attempts.map(attemptColumn));
  row.tries = record.attempts.length;
  row.resumed = record.attempts.filter(({ how }) => how === "restart" || how === "continue").length;
}

function wholeOrNull(amount: number | null): number | null {
  return amount === null ? null : Math.round(amount);
}

/** With names as the columns have them: it is read by SQL. */
function attemptColumn(attempt: Of<"settle">["attempts"][number]): CallAttempt {
  return {
    provider: attempt.provider,
    upstream_id: attempt.upstreamId,
    model: attempt.model,
    start_ms: attempt.startMs,
    took_ms: attempt.tookMs,
    error: attempt.error,
    message: attempt.message,
    how: attempt.how,
    completion_tokens: Math.round(attempt.completionTokens),
    malformed_events: Math.round(attempt.malformedEvents),
  };
}

function refuse(row: Row, record: Of<"refuse"> | Of<"refused">): void {
  row.ended_at = Math.round(record.at);
  row.endpoint = record.endpoint;
  row.key_id = record.keyId;
  row.status = "refused";
  row.http_status = Math.round(record.httpStatus);
  row.error = record.error;
  if (record.t === "refuse") {
    row.model = record.model ?? "";
    row.request_id = record.requestId;
    if (!record.known) row.counted_as = UNKNOWN_ENDPOINT;
  } else {
    row.calls = Math.round(record.count);
  }
}
