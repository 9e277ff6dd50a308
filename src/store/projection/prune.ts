import type { SQL } from "bun";
import { z } from "zod";
import { CUTS_OF, type Span } from "../rollups.ts";
import type { Database } from "./database.ts";

type Execute = Pick<SQL, "unsafe">;
const Deleted = z.array(z.unknown());

/** Deletes up to `rows` calls that arrived before a time (Unix milliseconds), the oldest first; how many it were. */
export function deleteCallsBefore(sql: Execute, before: number, rows: number): Promise<number> {
  return run(
    sql,
    `DELETE FROM calls WHERE id IN (
        SELECT id FROM calls WHERE started_at < $1 AND status <> 'running'
          ORDER BY started_at, id LIMIT $2) RETURNING 1`,
    [before, rows],
  );
}

/** Deletes the `rows` oldest calls that have ended. */
export function deleteOldestCalls(sql: Execute, rows: number): Promise<number> {
  return run(
    sql,
    `DELETE FROM calls WHERE id IN (
        SELECT id FROM calls WHERE status <> 'running' ORDER BY started_at, id LIMIT $1)
      RETURNING 1`,
    [rows],
  );
}

/** Deletes up to `rows` rows of spans that began before a time. Their table has no short name for a row on SQLite. */
export function deleteRollupsBefore(
  { sql, dialect }: Pick<Database, "sql" | "dialect">,
  span: Span,
  before: number,
  rows: number,
): Promise<number> {
  const key = "cut, at, key_id, model, provider, endpoint, status, error";
  const row = dialect === "sqlite" ? `(${key})` : "ctid";
  const cuts = CUTS_OF[span].map((cut) => `'${cut}'`).join(", ");
  const found = dialect === "sqlite" ? key : "ctid";
  return run(
    sql,
    `DELETE FROM ${span} WHERE ${row} IN (SELECT ${found} FROM ${span}
        WHERE cut IN (${cuts}) AND at < $1 LIMIT $2) RETURNING 1`,
    [before, rows],
  );
}

/** Where the newest `keep` refused calls begin: the first that is one too many; null where there are no more. */
export async function firstRefusalTooMany(sql: Execute, keep: number): Promise<Refusal | null> {
  const rows: unknown = await sql.unsafe(
    `SELECT started_at, id FROM calls WHERE status = 'refused' AND status <> 'completed'
      ORDER BY started_at DESC, id DESC LIMIT 1 OFFSET $1`,
    [keep],
  );
  return Refusals.parse(rows)[0] ?? null;
}

const Refusals = z.array(z.object({ started_at: z.coerce.number(), id: z.string() })).max(1);
export type Refusal = z.infer<typeof Refusals>[number];

/**
 * Deletes up to `rows` refused calls, the oldest first, up to this one and with it. Any stranger can have calls
 * refused, so their rows must not fill the disk. The rollups keep them all.
 */
export function deleteRefusedUpTo(sql: Execute, last: Refusal, rows: number): Promise<number> {
  return run(
    sql,
    `DELETE FROM calls WHERE id IN (
        SELECT id FROM calls WHERE status = 'refused' AND status <> 'completed'
          AND (started_at, id) <= ($1, $2)
          ORDER BY started_at, id LIMIT $3) RETURNING 1`,
    [last.started_at, last.id, rows],
  );
}

async function run(sql: Execute, text: string, values: (string | number)[]): Promise<number> {
  const deleted: unknown = await sql.unsafe(text, values);
  return Deleted.parse(deleted).length;
}
