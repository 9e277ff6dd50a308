import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { SQL } from "bun";
import { z } from "zod";
import { type Dialect, textFor } from "./statements.ts";

const MIGRATIONS = new URL("../migrations/", import.meta.url);
/** How long SQLite itself waits for another process's lock; after that the caller tries again later. */
const BUSY_TIMEOUT_MS = 1000;
const CONNECT_S = 10;
/** The longest a query may take on PostgreSQL. */
const STATEMENT_MS = 30_000;
/** Connections for queries on PostgreSQL, so that a long one holds up no other. */
const READERS = 4;
/** The lock under which migrations run; a number of ours, any other would do. */
const MIGRATION_LOCK = 7_263_491;

/** An open database: a SQLite file, or PostgreSQL. */
export interface Database {
  readonly sql: SQL;
  readonly dialect: Dialect;
  close(): Promise<void>;
}

/** PostgreSQL for `postgres://…` and `postgresql://…`; everything else is the path of a SQLite file. */
export function dialectOf(database: string): Dialect {
  return /^postgres(?:ql)?:\/\//i.test(database) ? "postgres" : "sqlite";
}

/**
 * Opens the database for writing and brings its tables up to date. A SQLite file is created (mode 0600)
 * when it is missing; a PostgreSQL database must exist.
 */
export async function openDatabase(database: string): Promise<Database> {
  const dialect = dialectOf(database);
  const sql = dialect === "sqlite" ? sqlite(database) : postgres(database, 1, {});
  const opened = { sql, dialect, close: () => closed(sql, dialect) };
  try {
    if (dialect === "sqlite") await prepareSqlite(sql);
    await migrate(sql, dialect);
  } catch (error) {
    await opened.close();
    throw error;
  }
  return opened;
}

/** Other connections that can only read, so that a query never sees half a transaction. */
export async function openReadonly(database: string): Promise<Database> {
  const dialect = dialectOf(database);
  if (dialect === "postgres") {
    const sql = postgres(database, READERS, {
      default_transaction_read_only: "on",
      statement_timeout: String(STATEMENT_MS),
      // Compiling a query of many sums takes longer than running it; what it sorts is some megabytes.
      jit: "off",
      work_mem: "32MB",
    });
    return { sql, dialect, close: () => closed(sql, dialect) };
  }
  const sql = new SQL({ adapter: "sqlite", filename: database, readonly: true });
  await sql.unsafe(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  return { sql, dialect, close: () => closed(sql, dialect) };
}

function sqlite(filename: string): SQL {
  closeSync(openSync(filename, "a", 0o600));
  return new SQL({ adapter: "sqlite", filename });
}

function postgres(url: string, max: number, connection: Record<string, string>): SQL {
  return new SQL({
    adapter: "postgres",
    url,
    max,
    connectionTimeout: CONNECT_S,
    connection: { application_name: "covey", ...connection },
  });
}

/** Closes it, at once: what a connection was doing is undone, and read from the journal again. */
function closed(sql: SQL, dialect: Dialect): Promise<void> {
  return dialect === "postgres" ? sql.close({ timeout: 0 }) : sql.close();
}

async function prepareSqlite(sql: SQL): Promise<void> {
  await sql.unsafe(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  // Takes effect in a file that has no tables yet: room that old calls leave can be given back in small steps.
  await sql.unsafe("PRAGMA auto_vacuum = INCREMENTAL");
  await sql.unsafe("PRAGMA journal_mode = WAL");
  // The journal, not this file, is what survives a power loss; what the database loses is read again.
  await sql.unsafe("PRAGMA synchronous = NORMAL");
}

/** In one transaction; of several gateways that start together one does it, and the others wait. */
async function migrate(sql: SQL, dialect: Dialect): Promise<void> {
  const names = readdirSync(MIGRATIONS).filter((name) => name.endsWith(".sql"));
  await sql.begin(async (transaction) => {
    if (dialect === "postgres") {
      await transaction.unsafe(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    }
    await transaction.unsafe("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY)");
    const applied = z
      .array(z.object({ name: z.string() }))
      .parse(await transaction.unsafe("SELECT name FROM migrations"))
      .map((row) => row.name);
    const unknown = applied.find((name) => !names.includes(name));
    if (unknown !== undefined) {
      throw new Error(`the database was written by a newer version of Covey (it has ${unknown})`);
    }
    for (const name of names.sort()) {
      if (applied.includes(name)) continue;
      const text = readFileSync(new URL(name, MIGRATIONS), "utf8");
      await transaction.unsafe(textFor(dialect, text));
      await transaction.unsafe("INSERT INTO migrations (name) VALUES ($1)", [name]);
    }
  });
}
