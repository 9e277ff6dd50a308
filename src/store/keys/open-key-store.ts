import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { KeyStore } from "../../types.ts";
import { openDatabase } from "../projection/database.ts";
import { keyStore } from "./key-store.ts";
import type { ServerSecret } from "./secret.ts";

/** How long a change waits for a server that is writing. */
const BUSY_TIMEOUT_MS = 10_000;

/**
 * The keys of a database, for another process than the gateway's: the command line. A server may run on
 * the same home folder meanwhile, as only the database is opened; it sees what was changed by itself.
 * @param url of PostgreSQL; null for the home folder's own file
 */
export async function openKeyStore(
  home: string,
  url: string | null,
  secret: ServerSecret,
): Promise<{ keys: KeyStore; close(): Promise<void> }> {
  const folder = resolve(home);
  if (url === null) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { sql, dialect, close } = await openDatabase(url ?? join(folder, "covey.db"));
  if (dialect === "sqlite") await sql.unsafe(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  const run = async (text: string, values: (string | number | null)[]): Promise<unknown> => {
    const rows: Iterable<unknown> = await sql.unsafe(text, values);
    return [...rows];
  };
  return { keys: keyStore({ read: run, write: run, secret }), close };
}
