import type { SQL } from "bun";
import { core, z } from "zod";
import type { JournalRecord } from "../schema.ts";
import { addUp, Ended } from "./add-up.ts";
import { coalesce, type Row } from "./coalesce.ts";
import { noteUses } from "./key-uses.ts";
import { movePosition, type Owner, type Position } from "./position.ts";
import { type Dialect, inChunks, placeholders } from "./statements.ts";

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
  "images",
  "pixels",
  "usage_source",
  "queue_ms",
  "first_token_ms",
  "total_ms",
  "dropped_params",
  "cost_nano_usd",
  "provider_cost_nano_usd",
  "attempts",
  "resumed",
  "calls",
] as const satisfies readonly (keyof Row)[];

/** Rows in one statement, a power of two. 31 columns each: far below PostgreSQL's 65,535 variables, and SQLite's 250,000. */
const ROWS_PER_STATEMENT = 128;

const EndedRows = core.compile(z.array(Ended));
const ENDED_COLUMNS = Object.keys(Ended.shape)
  .filter((name) => name !== "tries")
  .join(", ");

/** A database that this process may write, and in whose name. */
export interface Destination {
  readonly sql: SQL;
  readonly dialect: Dialect;
  readonly owner: Owner;
}

/**
 * Brings a batch of records and the position after it into the database, in one transaction. It may
 * be given any record twice: a row is changed only while it is running, and its rollups with it.
 */
export async function ingest(
  { sql, dialect, owner }: Destination,
  records: readonly JournalRecord[],
  next: Position,
): Promise<void> {
  const steps = coalesce(records);
  await sql.begin(async (transaction) => {
    const ended: Ended[] = [];
    for (const step of steps) {
      ended.push(
        ...(step.kind === "rows"
          ? await upsert(transaction, dialect, owner.gateway, step.rows)
          : await interrupt(transaction, owner.gateway, step.at)),
      );
    }
    await noteUses(
      transaction,
      dialect,
      steps.flatMap((step) => (step.kind === "rows" ? step.rows : [])),
    );
    await addUp(transaction, dialect, ended);
    await movePosition(transaction, owner, next);
  });
}

/** Brings rows into `calls`, in the caller's transaction; the ones that have ended by it. */
export async function upsert(
  sql: Execute,
  dialect: Dialect,
  gateway: string,
  rows: readonly Row[],
): Promise<Ended[]> {
  const ended: Ended[] = [];
  const known = new Map<string, Row>();
  for (const row of rows) if (row.status !== "running") known.set(row.id, row);
  await inChunks(rows, ROWS_PER_STATEMENT, async (chunk) => {
    const values = chunk.flatMap((row) => [...COLUMNS.map((column) => row[column]), gateway]);
    const changed: unknown = await sql.unsafe(upsertStatement(dialect, chunk.length), values);
    for (const row of EndedRows.parse(changed)) {
      if (row.status === "running") continue;
      const { counted_as, tries } = known.get(row.id) ?? NOTHING_KNOWN;
      ended.push({ ...row, endpoint: counted_as ?? row.endpoint, tries });
    }
  });
  return ended;
}

const NOTHING_KNOWN = { counted_as: null, tries: 0 };

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
  images = excluded.images,
  pixels = excluded.pixels,
  usage_source = CASE WHEN excluded.status = 'running' AND excluded.usage_source = 'none'
    THEN calls.usage_source ELSE excluded.usage_source END,
  queue_ms = COALESCE(excluded.queue_ms, calls.queue_ms),
  first_token_ms = COALESCE(excluded.first_token_ms, calls.first_token_ms),
  total_ms = excluded.total_ms,
  dropped_params = excluded.dropped_params,
  cost_nano_usd = excluded.cost_nano_usd,
  provider_cost_nano_usd = excluded.provider_cost_nano_usd,
  attempts = excluded.attempts,
  resumed = excluded.resumed
  WHERE calls.status = 'running'
  RETURNING ${ENDED_COLUMNS}`;

function furthest(column: string): string {
  return `CASE WHEN excluded.status = 'running' AND excluded.${column} < calls.${column}
    THEN calls.${column} ELSE excluded.${column} END`;
}

const statements = new Map<string, string>();

function upsertStatement(dialect: Dialect, rows: number): string {
  const name = `${dialect} ${rows}`;
  let statement = statements.get(name);
  if (statement === undefined) {
    const places = placeholders(dialect, rows, COLUMNS.length + 1);
    statement = `INSERT INTO calls (${COLUMNS.join(", ")}, gateway) VALUES ${places} ${ON_CONFLICT}`;
    statements.set(name, statement);
  }
  return statement;
}

/**
 * A process has taken over the journal: what was running before it is interrupted, with the usage
 * its last progress record had reached. This is the whole of crash recovery.
 */
async function interrupt(sql: Execute, gateway: string, at: number): Promise<Ended[]> {
  const changed: unknown = await sql.unsafe(
    `UPDATE calls SET status = 'interrupted', ended_at = $1
      WHERE status = 'running' AND gateway = $2 RETURNING ${ENDED_COLUMNS}`,
    [at, gateway],
  );
  return EndedRows.parse(changed);
}
