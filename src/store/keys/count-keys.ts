import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { openReadonly } from "../projection/database.ts";

const Counted = z.array(z.object({ keys: z.coerce.number() }));

/**
 * How many keys there are that can still open something. Changes nothing: a database that is not there,
 * or is older than keys, has none. @param url of PostgreSQL; null for the home folder's own file
 */
export async function countKeys(home: string, url: string | null, now: number): Promise<number> {
  const file = join(home, "covey.db");
  if (url === null && !existsSync(file)) return 0;
  const { sql, close } = await openReadonly(url ?? file);
  try {
    const rows: Iterable<unknown> = await sql.unsafe(
      `SELECT COUNT(*) AS keys FROM keys
        WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1)`,
      [now],
    );
    return Counted.parse([...rows])[0]?.keys ?? 0;
  } catch (error) {
    const isOld = error instanceof Error && /no such table|does not exist/.test(error.message);
    if (isOld) return 0;
    throw error;
  } finally {
    await close();
  }
}
