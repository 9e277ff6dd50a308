import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { isSqliteBusy } from "../../lib/sqlite-busy.ts";
import { withoutUrl } from "../../lib/url-secrets.ts";
import { UserError } from "../../lib/user-error.ts";
import type { KeyStore } from "../../types.ts";
import { type Database, openDatabase } from "../projection/database.ts";
import { keyStore } from "./key-store.ts";
import type { ServerSecret } from "./secret.ts";
import { expectSameSecret } from "./secret-mark.ts";

/** How long a change waits for a server that is writing. */
const BUSY_TIMEOUT_MS = 10_000;
const ATTEMPTS = 8;
const PAUSE_MS = 100;

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
  const database = url ?? join(folder, "covey.db");
  const { sql, dialect, close } = await patiently(() => openDatabase(database)).catch(
    (error: unknown) => {
      throw unusable(error, database);
    },
  );
  if (dialect === "sqlite") await sql.unsafe(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  const run = async (text: string, values: (string | number | null)[]): Promise<unknown> => {
    const rows: Iterable<unknown> = await sql.unsafe(text, values);
    return [...rows];
  };
  const keys = keyStore({ read: run, write: run, secret });
  return {
    keys: {
      ...keys,
      async create(settings) {
        await expectSameSecret(run, secret);
        return keys.create(settings);
      },
      async rotate(which, overlapMs) {
        await expectSameSecret(run, secret);
        return keys.rotate(which, overlapMs);
      },
    },
    close,
  };
}

/** A server that starts at the same moment brings the tables up to date too: one of the two has to wait. */
async function patiently(open: () => Promise<Database>): Promise<Database> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await open();
    } catch (error) {
      const isMeanwhile =
        isSqliteBusy(error) ||
        (error instanceof Error && /already exists|duplicate|unique/i.test(error.message));
      if (!isMeanwhile || attempt === ATTEMPTS) throw error;
      await Bun.sleep(PAUSE_MS);
    }
  }
}

function unusable(cause: unknown, database: string): UserError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const reason = withoutUrl(message, database, "the database");
  return new UserError(`the keys' database can't be opened: ${reason}`, { cause });
}
