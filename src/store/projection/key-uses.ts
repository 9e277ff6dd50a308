import type { SQL } from "bun";
import type { Row } from "./coalesce.ts";
import { type Dialect, inChunks, placeholders } from "./statements.ts";

/** Keys in one statement, a power of two. */
const KEYS_PER_STATEMENT = 64;

/** Ids of made keys; `anonymous`, `admin` and `unknown` are none. */
const MADE = /^key_/;

/**
 * When each key of these rows was last used, in the caller's transaction. The same rows again change
 * nothing. Keys come in one order, so that two gateways never wait for each other's.
 */
export async function noteUses(
  sql: Pick<SQL, "unsafe">,
  dialect: Dialect,
  rows: readonly Row[],
): Promise<void> {
  const last = new Map<string, number>();
  for (const { key_id: id, started_at: at } of rows)
    if (MADE.test(id)) last.set(id, Math.max(at, last.get(id) ?? at));
  const uses = [...last].sort(([a], [b]) => (a < b ? -1 : 1));
  await inChunks(uses, KEYS_PER_STATEMENT, async (chunk) => {
    await sql.unsafe(
      `INSERT INTO key_uses (key_id, last_used_at) VALUES ${placeholders(dialect, chunk.length, 2)}
        ON CONFLICT (key_id) DO UPDATE SET last_used_at = excluded.last_used_at
        WHERE key_uses.last_used_at < excluded.last_used_at`,
      chunk.flat(),
    );
  });
}
