import { z } from "zod";
import type { Database } from "./database.ts";

type Writer = Pick<Database, "sql" | "dialect">;

const Pages = z.tuple([
  z.object({
    page_count: z.number(),
    freelist_count: z.number(),
    page_size: z.number(),
    auto_vacuum: z.number(),
  }),
]);
const Calls = z.tuple([z.object({ calls: z.number().nullable() })]);
const Live = z.tuple([z.object({ rows: z.coerce.number(), row_bytes: z.coerce.number() })]);

/** Bytes of indices and of a page's bookkeeping that a call takes beside its row, on PostgreSQL. */
const BESIDE_THE_ROW = 400;
/** Free pages that SQLite keeps, as a share of its file: it will want them again. */
const KEPT_FREE = 0.1;

/**
 * Bytes that the log takes. On SQLite those of the file that are in use; on PostgreSQL an estimate from
 * the statistics, because its files don't shrink when rows go.
 */
export async function usedBytes({
  sql,
  dialect,
}: Writer): Promise<{ bytes: number; bytesPerCall: number }> {
  if (dialect === "sqlite") {
    const pages = await pagesOf(sql);
    const bytes = (pages.page_count - pages.freelist_count) * pages.page_size;
    return { bytes, bytesPerCall: bytes / Math.max(1, await sqliteCalls(sql)) };
  }
  const rows: Iterable<unknown> = await sql.unsafe(
    `SELECT (SELECT n_live_tup FROM pg_stat_user_tables WHERE relid = 'calls'::regclass) AS rows,
      (SELECT COALESCE(avg(pg_column_size(c.*)), 0) FROM
        (SELECT * FROM calls ORDER BY started_at DESC LIMIT 200) c) AS row_bytes`,
  );
  const [live] = Live.parse([...rows]);
  const bytesPerCall = live.row_bytes + BESIDE_THE_ROW;
  return { bytes: live.rows * bytesPerCall, bytesPerCall };
}

/**
 * Gives up to `pages` free pages of a SQLite file back to the disk, where there are many; how many it were.
 * PostgreSQL's autovacuum does what is needed by itself, and so does a SQLite file from before this was
 * switched on: it uses them for new rows.
 */
export async function giveBackRoom({ sql, dialect }: Writer, pages: number): Promise<number> {
  if (dialect === "postgres") return 0;
  const { page_count, freelist_count, auto_vacuum } = await pagesOf(sql);
  const spare = Math.floor(freelist_count - page_count * KEPT_FREE);
  if (auto_vacuum !== 2 || spare <= 0) return 0;
  const wanted = Math.min(pages, spare);
  await sql.unsafe(`PRAGMA incremental_vacuum(${wanted})`);
  return wanted;
}

/** About how many: counting them would take seconds. Rows are numbered as they come, and go from the first on. */
async function sqliteCalls(sql: Writer["sql"]): Promise<number> {
  const rows: Iterable<unknown> = await sql.unsafe(
    "SELECT (SELECT max(rowid) FROM calls) - (SELECT min(rowid) FROM calls) + 1 AS calls",
  );
  const [{ calls }] = Calls.parse([...rows]);
  return calls ?? 0;
}

async function pagesOf(sql: Writer["sql"]): Promise<z.infer<typeof Pages>[0]> {
  const rows: Iterable<unknown> = await sql.unsafe(
    `SELECT page_count, freelist_count, page_size, auto_vacuum
      FROM pragma_page_count, pragma_freelist_count, pragma_page_size, pragma_auto_vacuum`,
  );
  const [pages] = Pages.parse([...rows]);
  return pages;
}
