import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { SQL } from "bun";
import { z } from "zod";
import type { Position } from "./ingest.ts";

const MIGRATIONS = new URL("../migrations/", import.meta.url);
/** How long SQLite itself waits for another process's lock; after that the caller tries again later. */
const BUSY_TIMEOUT_MS = 1000;

/** Opens the database for writing, creating it (mode 0600) and bringing its tables up to date. */
export async function openDatabase(filename: string): Promise<SQL> {
  closeSync(openSync(filename, "a", 0o600));
  const sql = new SQL({ adapter: "sqlite", filename });
  try {
    await sql.unsafe(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    await sql.unsafe("PRAGMA journal_mode = WAL");
    // The journal, not this file, is what survives a power loss; what the database loses is read again.
    await sql.unsafe("PRAGMA synchronous = NORMAL");
    await migrate(sql);
  } catch (error) {
    await sql.close();
    throw error;
  }
  return sql;
}

/** A second connection that can only read, so that a query never sees half a transaction. */
export async function openReadonly(filename: string): Promise<SQL> {
  const sql = new SQL({ adapter: "sqlite", filename, readonly: true });
  await sql.unsafe(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  return sql;
}

async function migrate(sql: SQL): Promise<void> {
  await sql.unsafe("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY)");
  const names = readdirSync(MIGRATIONS).filter((name) => name.endsWith(".sql"));
  const applied = z
    .array(z.object({ name: z.string() }))
    .parse(await sql.unsafe("SELECT name FROM migrations"))
    .map((row) => row.name);
  const unknown = applied.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new Error(`the database was written by a newer version of Covey (it has ${unknown})`);
  }
  for (const name of names.sort()) {
    if (applied.includes(name)) continue;
    const text = readFileSync(new URL(name, MIGRATIONS), "utf8");
    await sql.begin(async (transaction) => {
      await transaction.unsafe(text);
      await transaction.unsafe("INSERT INTO migrations (name) VALUES ($1)", [name]);
    });
  }
}

const PositionRows = z
  .array(
    z.object({
      segment: z.coerce.number(),
      byte_offset: z.coerce.number(),
      skipped_bytes: z.coerce.number(),
    }),
  )
  .length(1);

export async function readPosition(sql: SQL): Promise<Position> {
  const rows = PositionRows.parse(
    await sql.unsafe("SELECT segment, byte_offset, skipped_bytes FROM journal_position"),
  );
  const [row] = rows;
  if (row === undefined) throw new Error("journal_position has no row");
  return { segment: row.segment, offset: row.byte_offset, skippedBytes: row.skipped_bytes };
}
