import { Database } from "bun:sqlite";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Images } from "./images.ts";

/** Payloads deleted in one step, so that none takes long. */
const STEP = 100;
const Row = z.object({
  at: z.number(),
  request: z.string(),
  answer: z.string().nullable(),
  truncated: z.number(),
});
const Oldest = z.array(z.object({ call_id: z.string(), bytes: z.number() }));
const Pragma = z.object({
  page_count: z.number().optional(),
  freelist_count: z.number().optional(),
});

export interface PayloadRow {
  readonly id: string;
  readonly at: number;
  /** JSON. */
  readonly request: string;
  readonly answer: string | null;
  readonly truncated: boolean;
}

/**
 * Payloads on disk: a database of their own beside the call log's, so that they can be thrown away
 * without it. Nothing reaches it unredacted, and what is deleted is overwritten.
 */
export class PayloadDatabase {
  readonly images: Images;
  readonly #database: Database;
  readonly #pageBytes: number;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, "payloads.db");
    closeSync(openSync(file, "a", 0o600));
    this.#database = new Database(file);
    this.#database.run("PRAGMA auto_vacuum = INCREMENTAL");
    this.#database.run("PRAGMA journal_mode = WAL");
    this.#database.run("PRAGMA synchronous = NORMAL");
    this.#database.run("PRAGMA secure_delete = ON");
    this.#database.run("PRAGMA busy_timeout = 1000");
    this.#database.run(`CREATE TABLE IF NOT EXISTS payloads (
      call_id TEXT PRIMARY KEY, at INTEGER NOT NULL, request TEXT NOT NULL, answer TEXT,
      truncated INTEGER NOT NULL)`);
    this.#database.run("CREATE INDEX IF NOT EXISTS payloads_by_time ON payloads (at)");
    this.#pageBytes = z
      .object({ page_size: z.number() })
      .parse(this.#database.query("PRAGMA page_size").get()).page_size;
    this.images = new Images(this.#database, join(folder, "images"));
  }

  /** Bytes in use in the file. */
  get bytes(): number {
    const pages = Pragma.parse(this.#database.query("PRAGMA page_count").get()).page_count ?? 0;
    const free =
      Pragma.parse(this.#database.query("PRAGMA freelist_count").get()).freelist_count ?? 0;
    return (pages - free) * this.#pageBytes;
  }

  put({ id, at, request, answer, truncated }: PayloadRow): void {
    this.#database
      .query(`INSERT INTO payloads (call_id, at, request, answer, truncated)
        VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (call_id) DO NOTHING`)
      .run(id, at, request, answer, truncated ? 1 : 0);
  }

  get(id: string): PayloadRow | null {
    const row: unknown = this.#database
      .query("SELECT at, request, answer, truncated FROM payloads WHERE call_id = ?1")
      .get(id);
    if (row === null) return null;
    const { truncated, ...rest } = Row.parse(row);
    return { id, ...rest, truncated: truncated === 1 };
  }

  /** Deletes what is too old, and the oldest while there is too much. True when there is more to do. */
  trim(before: number, quota: number): boolean {
    const expired = this.#database
      .query(`DELETE FROM payloads WHERE call_id IN (
        SELECT call_id FROM payloads WHERE at < ?1 ORDER BY at LIMIT ?2)`)
      .run(before, STEP).changes;
    this.images.expire(before);
    const over = this.#shrink(this.bytes - quota);
    if (expired + over > 0) this.#database.run("PRAGMA incremental_vacuum");
    return expired + over > 0;
  }

  /** Deletes the oldest that hold so many bytes, at most a step of them; says how many. */
  #shrink(excess: number): number {
    if (excess <= 0) return 0;
    const oldest = Oldest.parse(
      this.#database
        .query(`SELECT call_id, LENGTH(request) + LENGTH(COALESCE(answer, '')) AS bytes
          FROM payloads ORDER BY at LIMIT ?1`)
        .all(STEP),
    );
    let freed = 0;
    let count = 0;
    for (const { call_id, bytes } of oldest) {
      if (freed >= excess) break;
      this.#database.query("DELETE FROM payloads WHERE call_id = ?1").run(call_id);
      freed += bytes;
      count += 1;
    }
    return count;
  }

  close(): void {
    this.#database.close();
  }
}
