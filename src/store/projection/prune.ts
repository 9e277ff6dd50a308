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

const Kept = z.array(z.object({ started_at: z.coerce.number() })).max(1);

/**
 * When the oldest of the newest `keep` refused calls arrived (Unix milliseconds); null where there are no more
 * than those. It asks for the time alone, which the index has: a hundred thousand of them are some milliseconds.
 */
export async function oldestKeptRefusal(sql: Execute, keep: number): Promise<number | null> {
  const rows: unknown = await sql.unsafe(
    `SELECT started_at FROM calls WHERE status = 'refused' AND status <> 'completed'
      ORDER BY started_at DESC LIMIT 1 OFFSET $1`,
    [keep - 1],
  );
  return Kept.parse(rows)[0]?.started_at ?? null;
}

/**
 * Deletes up to `rows` refused calls that arrived before a time, the oldest first. Any stranger can have calls
 * refused, so their rows must not fill the disk. The rollups keep them all.
 */
export function deleteRefusedBefore(sql: Execute, before: number, rows: number): Promise<number> {
  return run(
    sql,
    `DELETE FROM calls WHERE id IN (
        SELECT id FROM calls WHERE status = 'refused' AND status <> 'completed'
          AND started_at < $1
          ORDER BY started_at LIMIT $2) RETURNING 1`,
    [before, rows],
  );
}

async function run(sql: Execute, text: string, values: (string | number)[]): Promise<number> {
  const deleted: unknown = await sql.unsafe(text, values);
  return Deleted.parse(deleted).length;
}
