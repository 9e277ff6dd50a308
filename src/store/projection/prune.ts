import type { SQL } from "bun";
import { z } from "zod";

/** Rows deleted in one statement: a few milliseconds, which is how long a query may have to wait. */
export const PRUNE_STEP = 1000;

const Deleted = z.array(z.unknown());

/**
 * Deletes up to `PRUNE_STEP` rows of refused calls beyond the newest `keep`, and says how many. Any
 * stranger can have calls refused, so their rows must not fill the disk. The counters keep them all.
 */
export async function pruneRefused(sql: Pick<SQL, "unsafe">, keep: number): Promise<number> {
  const deleted: unknown = await sql.unsafe(
    `DELETE FROM calls WHERE id IN (
        SELECT id FROM calls WHERE status = 'refused'
          ORDER BY started_at DESC, id DESC LIMIT $1 OFFSET $2)
      RETURNING id`,
    [PRUNE_STEP, keep],
  );
  return Deleted.parse(deleted).length;
}
