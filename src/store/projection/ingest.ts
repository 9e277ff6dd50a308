import type { SQL } from "bun";
import { core, z } from "zod";
import type { JournalRecord } from "../schema.ts";
import { coalesce, type Row } from "./coalesce.ts";

/** How far the journal has been read into the database. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
  /** Bytes that were not a record, ever. */
  readonly skippedBytes: number;
}

type Execute = Pick<SQL, "unsafe">;

const COLUMNS = [
  "id",
  "started_at",
  "ended_at",
  "endpoint",
  "model",
  "provider",
  "key_id",
  "stream",
  "request_id",
  "referer",
  "title",
  "status",
  "http_status",
  "error",
  "finish_reason",
  "prompt_tokens",
  "completion_tokens",
  "cached_tokens",
  "usage_source",
  "queue_ms",
  "first_token_ms",
  "total_ms",
  "dropped_params",
  "cost_nano_usd",
  "attempts",
  "resumed",
  "calls",
] as const satisfies readonly (keyof Row)[];

/** Rows in one statement. 27 columns each: far below PostgreSQL's 65,535 variables, and SQLite's 250,000. */
const ROWS_PER_STATEMENT = 100;

const COUNTER_COLUMNS = 12;

/** What a row's end adds to the counters. */
const Ended = z.object({
  id: z.string(),
  started_at: z.coerce.number(),
  endpoint: z.string(),
  model: z.string(),
  provider: z.string().nullable(),
  key_id: z.string(),
  status: z.string(),
  error: z.string().nullable(),
  prompt_tokens: z.coerce.number(),
  completion_tokens: z.coerce.number(),
  cached_tokens: z.coerce.number(),
  cost_nano_usd: z.coerce.number().nullable(),
  calls: z.coerce.number(),
});
type Ended = z.infer<typeof Ended>;
const EndedRows = core.compile(z.array(Ended));
const ENDED_COLUMNS = Object.keys(Ended.shape).join(", ");

/**
 * Brings a batch of records and the position after it into the database, in one transaction. It may
 * be given any record twice: a row is changed only while it is running, and its counters with it.
 */
export async function ingest(
  sql: SQL,
  records: readonly JournalRecord[],
  next: Position,
): Promise<void> {
  const steps = coalesce(records);
  await sql.begin(async (transaction) => {
    for (const step of steps) {
      const ended =
        step.kind === "rows"
          ? await upsert(transaction, step.rows)
          : await interrupt(transaction, step.at);
      await count(transaction, ended);
    }
    await transaction.unsafe(
      "UPDATE journal_position SET segment = $1, byte_offset = $2, skipped_bytes = $3 WHERE id = 1",
      [next.segment, next.offset, next.skippedBytes],
    );
  });
}

async function upsert(sql: Execute, rows: readonly Row[]): Promise<Ended[]> {
  const ended: Ended[] = [];
  for (let from = 0; from < rows.length; from += ROWS_PER_STATEMENT) {
    const chunk = rows.slice(from, from + ROWS_PER_STATEMENT);
    const values = chunk.flatMap((row) => COLUMNS.map((column) => row[column]));
    const changed: unknown = await sql.unsafe(upsertStatement(chunk.length), values);
    const made = new Map<string, string>();
    for (const { id, counted_as } of chunk) if (counted_as !== null) made.set(id, counted_as);
    for (const row of EndedRows.parse(changed)) {
      if (row.status === "running") continue;
      row.endpoint = made.get(row.id) ?? row.endpoint;
      ended.push(row);
    }
  }
  return ended;
}

/**
 * A new row, or more about one that is still running. What the new one does not know it leaves as
 * it is: its arrival, and tokens that a progress record had already counted.
 */
const ON_CONFLICT = `ON CONFLICT (id) DO UPDATE SET
  ended_at = excluded.ended_at,
  model = CASE WHEN excluded.model = '' THEN calls.model ELSE excluded.model END,
  provider = excluded.provider,
  status = excluded.status,
  http_status = excluded.http_status,
  error = excluded.error,
  finish_reason = excluded.finish_reason,
  prompt_tokens = ${furthest("prompt_tokens")},
  completion_tokens = ${furthest("completion_tokens")},
  cached_tokens = ${furthest("cached_tokens")},
  usage_source = CASE WHEN excluded.status = 'running' AND excluded.usage_source = 'none'
    THEN calls.usage_source ELSE excluded.usage_source END,
  queue_ms = COALESCE(excluded.queue_ms, calls.queue_ms),
  first_token_ms = COALESCE(excluded.first_token_ms, calls.first_token_ms),
  total_ms = excluded.total_ms,
  dropped_params = excluded.dropped_params,
  cost_nano_usd = excluded.cost_nano_usd,
  attempts = excluded.attempts,
  resumed = excluded.resumed
  WHERE calls.status = 'running'
  RETURNING ${ENDED_COLUMNS}`;

function furthest(column: string): string {
  return `CASE WHEN excluded.status = 'running' AND excluded.${column} < calls.${column}
    THEN calls.${column} ELSE excluded.${column} END`;
}

const statements = new Map<number, string>();

function upsertStatement(rows: number): string {
  let statement = statements.get(rows);
  if (statement === undefined) {
    const places = placeholders(rows, COLUMNS.length);
    statement = `INSERT INTO calls (${COLUMNS.join(", ")}) VALUES ${places} ${ON_CONFLICT}`;
    statements.set(rows, statement);
  }
  return statement;
}

/**
 * A process has taken over the journal: what was running before it is interrupted, with the usage
 * its last progress record had reached. This is the whole of crash recovery.
 */
async function interrupt(sql: Execute, at: number): Promise<Ended[]> {
  const changed: unknown = await sql.unsafe(
    `UPDATE calls SET status = 'interrupted', ended_at = $1
      WHERE status = 'running' RETURNING ${ENDED_COLUMNS}`,
    [at],
  );
  return EndedRows.parse(changed);
}

async function count(sql: Execute, ended: readonly Ended[]): Promise<void> {
  const sums = new Map<string, { key: (string | number)[]; sums: number[] }>();
  for (const row of ended) {
    const key = [
      Math.floor(row.started_at / 60_000),
      row.key_id,
      row.status === "refused" ? "" : row.model,
      row.provider ?? "",
      row.endpoint,
      row.status,
      row.error ?? "",
    ];
    const added = [
      row.calls,
      row.prompt_tokens,
      row.completion_tokens,
      row.cached_tokens,
      row.cost_nano_usd ?? 0,
    ];
    const name = JSON.stringify(key);
    const entry = sums.get(name);
    if (entry === undefined) sums.set(name, { key, sums: added });
    else entry.sums = entry.sums.map((sum, index) => sum + (added[index] ?? 0));
  }
  const entries = [...sums.values()];
  for (let from = 0; from < entries.length; from += ROWS_PER_STATEMENT) {
    const chunk = entries.slice(from, from + ROWS_PER_STATEMENT);
    await sql.unsafe(
      `INSERT INTO counters (minute, key_id, model, provider, endpoint, status, error,
          calls, prompt_tokens, completion_tokens, cached_tokens, cost_nano_usd)
        VALUES ${placeholders(chunk.length, COUNTER_COLUMNS)}
        ON CONFLICT (minute, key_id, model, provider, endpoint, status, error) DO UPDATE SET
          calls = counters.calls + excluded.calls,
          prompt_tokens = counters.prompt_tokens + excluded.prompt_tokens,
          completion_tokens = counters.completion_tokens + excluded.completion_tokens,
          cached_tokens = counters.cached_tokens + excluded.cached_tokens,
          cost_nano_usd = counters.cost_nano_usd + excluded.cost_nano_usd`,
      chunk.flatMap((entry) => [...entry.key, ...entry.sums]),
    );
  }
}

/**
 * `(?, ?), (?, ?)`. Not `$1`: on SQLite Bun.SQL looks numbered places up one by one, and a statement
 * of 2,700 of them takes fourteen times as long.
 */
function placeholders(rows: number, columns: number): string {
  const row = `(${Array(columns).fill("?").join(", ")})`;
  return Array(rows).fill(row).join(", ");
}
