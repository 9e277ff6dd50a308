import { join } from "node:path";
import { z } from "zod";
import { openReadonly } from "./projection/database.ts";
import { SPENT, type Spent, type SpentSince, spentFrom, spentValues } from "./spent.ts";

/** PostgreSQL gives BIGINT as text. */
const Int = z.coerce.number();
const IntOrNull = z.coerce.number().nullable();

/** One try at one target, as the column `attempts` holds it. */
export const CallAttempt = z.object({
  provider: z.string(),
  upstream_id: z.string(),
  model: z.string(),
  /** Milliseconds from the call's arrival, and what it took. */
  start_ms: z.number(),
  took_ms: z.number(),
  error: z.string().nullable(),
  /** What the provider said of a failure that was not the request's. */
  message: z.string().nullish(),
  /** `first`, `retry`, `restart` or `continue`. */
  how: z.string(),
  completion_tokens: z.number(),
  malformed_events: z.number(),
});
export type CallAttempt = z.infer<typeof CallAttempt>;

/** One row of the call log. Times are Unix milliseconds, durations milliseconds. */
export const CallRow = z.object({
  id: z.string(),
  started_at: Int,
  ended_at: IntOrNull,
  endpoint: z.string(),
  model: z.string(),
  provider: z.string().nullable(),
  key_id: z.string(),
  stream: Int.transform((n) => n === 1),
  request_id: z.string().nullable(),
  referer: z.string().nullable(),
  title: z.string().nullable(),
  status: z.enum(["running", "completed", "failed", "cancelled", "interrupted", "refused"]),
  http_status: IntOrNull,
  error: z.string().nullable(),
  finish_reason: z.string().nullable(),
  prompt_tokens: Int,
  completion_tokens: Int,
  cached_tokens: Int,
  images: Int,
  pixels: Int,
  usage_source: z.string(),
  queue_ms: z.number().nullable(),
  first_token_ms: z.number().nullable(),
  total_ms: z.number().nullable(),
  dropped_params: z.string().transform((text) => z.array(z.string()).parse(JSON.parse(text))),
  /** Billionths of a US dollar; null where no price is known. */
  cost_nano_usd: IntOrNull,
  /** What its provider says it charged; null where it says nothing. */
  provider_cost_nano_usd: IntOrNull,
  attempts: z.string().transform((text) => z.array(CallAttempt).parse(JSON.parse(text))),
  /** How many of the attempts went on with an answer that another one had begun. */
  resumed: Int,
  /** How many calls the row stands for: more than one only for refusals under a flood. */
  calls: Int,
});
export type CallRow = z.infer<typeof CallRow>;

/** One minute of one combination (the cut `each`). `minute` is Unix milliseconds / 60000; '' stands for none. */
export const CounterRow = z.object({
  minute: Int,
  key_id: z.string(),
  model: z.string(),
  provider: z.string(),
  endpoint: z.string(),
  status: z.string(),
  error: z.string(),
  calls: Int,
  prompt_tokens: Int,
  completion_tokens: Int,
  cached_tokens: Int,
  /** The sum of those whose price is known. */
  cost_nano_usd: Int,
});
export type CounterRow = z.infer<typeof CounterRow>;

export interface ListCalls {
  /** 1 to 1000. */
  readonly limit: number;
  /** Only calls older than the one with this id. */
  readonly before?: string;
}

/** The read side of the call log. It lags behind the journal by what the ledger's health says. */
export interface Calls {
  getCall(id: string): Promise<CallRow | null>;
  /** Newest first. */
  listCalls(options: ListCalls): Promise<CallRow[]>;
  /** The minutes from `sinceMinute` (Unix milliseconds / 60000, default 0) on, oldest first; at most 10,000. */
  counters(sinceMinute?: number): Promise<CounterRow[]>;
  /** What a key has spent, by the day. */
  spent(keyId: string, since: SpentSince): Promise<Spent>;
}

const CallRows = z.array(CallRow);
const CounterRows = z.array(CounterRow);
const CALL_COLUMNS = Object.keys(CallRow.shape).join(", ");
const COUNTER_COLUMNS = Object.keys(CounterRow.shape)
  .map((name) => (name === "minute" ? "at / 60000 AS minute" : name))
  .join(", ");

/** Runs one parameterised statement and gives its rows, wherever the connection is. */
export type RunQuery = (text: string, values: (string | number)[]) => Promise<unknown>;

export function callsBy(query: RunQuery): Calls {
  return {
    async getCall(id) {
      const text = `SELECT ${CALL_COLUMNS} FROM calls WHERE id = $1`;
      return CallRows.parse(await query(text, [id]))[0] ?? null;
    },
    async listCalls({ limit, before }) {
      const most = Math.min(1000, Math.max(1, Math.trunc(limit)));
      const order = "ORDER BY started_at DESC, id DESC";
      if (before === undefined) {
        const text = `SELECT ${CALL_COLUMNS} FROM calls ${order} LIMIT $1`;
        return CallRows.parse(await query(text, [most]));
      }
      const text = `SELECT ${CALL_COLUMNS} FROM calls
        WHERE (started_at, id) < (SELECT started_at, id FROM calls WHERE id = $1)
        ${order} LIMIT $2`;
      return CallRows.parse(await query(text, [before, most]));
    },
    async counters(sinceMinute = 0) {
      const text = `SELECT ${COUNTER_COLUMNS} FROM minutes WHERE cut = 'each' AND at >= $1
        ORDER BY at, key_id, model, provider, endpoint, status, error LIMIT 10000`;
      return CounterRows.parse(await query(text, [sinceMinute * 60_000]));
    },
    async spent(keyId, since) {
      return spentFrom(await query(SPENT, spentValues(keyId, since)));
    },
  };
}

/** Reads another process's call log, on this thread: for tests and tools, never for the gateway. */
export async function openCallsReadonly(home: string): Promise<Calls & { close(): Promise<void> }> {
  const { sql, close } = await openReadonly(join(home, "covey.db"));
  return { ...callsBy((text, values) => sql.unsafe(text, values)), close };
}
