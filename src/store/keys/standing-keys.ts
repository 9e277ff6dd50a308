import { existsSync } from "node:fs";
import { join } from "node:path";
import { withoutUrl } from "../../lib/url-secrets.ts";
import type { Key } from "../../types.ts";
import { openReadonly } from "../projection/database.ts";
import { KEY_COLUMNS, storedKeys } from "./key-row.ts";

/**
 * The keys that can still open something, disabled ones among them. Changes nothing: a database that is
 * not there, or is older than keys, has none. @param url of PostgreSQL; null for the home folder's own file
 */
export async function standingKeys(home: string, url: string | null, now: number): Promise<Key[]> {
  const file = join(home, "covey.db");
  if (url === null && !existsSync(file)) return [];
  const { sql, close } = await openReadonly(url ?? file);
  try {
    const rows: unknown = await sql.unsafe(
      `SELECT ${KEY_COLUMNS} FROM keys
        WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1) ORDER BY id`,
      [now],
    );
    return storedKeys(rows).map(({ key }) => key);
  } catch (error) {
    const isOld = error instanceof Error && /no such table|does not exist/.test(error.message);
    if (isOld) return [];
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(withoutUrl(reason, url ?? file, "the database"), { cause: error });
  } finally {
    await close();
  }
}
