import type { Database } from "bun:sqlite";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { imageFacts } from "../../images/facts.ts";
import type { Redactor } from "./redactor.ts";

const EXTENSIONS: Readonly<Record<string, string>> = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/gif": "gif",
  "image/webp": "webp",
};

/** Images deleted in one step. */
const STEP = 20;
/** Shorter runs of letters are noise in any file. */
const SHORTEST_RUN = 6;

const Rows = z.array(z.object({ hash: z.string(), type: z.string(), bytes: z.number() }));
const Sum = z.object({ bytes: z.number() });

/** The name of an image's file, by its SHA-256 in hex. */
export function imageFile(folder: string, hash: string, type: string): string {
  return join(folder, `${hash}.${EXTENSIONS[type] ?? "bin"}`);
}

/**
 * Images of payloads, each stored once, in a file named by its hash. When they take more than the
 * quota, those that were seen least recently go.
 */
export class Images {
  readonly #database: Database;
  readonly #folder: string;
  #bytes: number;

  constructor(database: Database, folder: string) {
    this.#database = database;
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    database.run(`CREATE TABLE IF NOT EXISTS images (
      hash TEXT PRIMARY KEY, type TEXT NOT NULL, bytes INTEGER NOT NULL, seen_at INTEGER NOT NULL)`);
    database.run("CREATE INDEX IF NOT EXISTS images_by_time ON images (seen_at)");
    this.#bytes = this.#sum();
    this.#sweep();
  }

  /** Bytes of all its files. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Stores the bytes if they are an image that holds no text a rule finds; gives the text that stands for them. */
  keep(
    bytes: Uint8Array,
    mediaType: string,
    redactor: Redactor,
    quota: number,
    now: number,
  ): string {
    const header = imageFacts(bytes);
    if (header === null) return `[${bytes.byteLength} bytes ${shown(mediaType)}, not kept]`;
    const size = `${header.width}x${header.height}, ${bytes.byteLength} bytes`;
    if (bytes.byteLength > quota) return `[${header.type} ${size}, not kept]`;
    if (redactor.finds(textsIn(bytes))) return `[${header.type} ${size}, withheld by a rule]`;
    const hash = createHash("sha256").update(bytes).digest("hex");
    const known = this.#database
      .query("UPDATE images SET seen_at = ?2 WHERE hash = ?1 RETURNING hash")
      .all(hash, now);
    if (known.length === 0) this.#write(hash, header.type, bytes, now);
    this.#trim(quota);
    return `[${header.type} ${size}, sha256:${hash}]`;
  }

  /** Forgets those that no payload has had since. */
  expire(before: number): void {
    this.#delete("SELECT hash, type, bytes FROM images WHERE seen_at < ?1 LIMIT ?2", [
      before,
      STEP,
    ]);
  }

  /** The media type of an image that is there; null for another hash. */
  typeOf(hash: string): string | null {
    const rows = this.#database
      .query("SELECT hash, type, bytes FROM images WHERE hash = ?1")
      .all(hash);
    return Rows.parse(rows)[0]?.type ?? null;
  }

  /** First the file, then the row: a file without a row is swept away at the next start. */
  #write(hash: string, type: string, bytes: Uint8Array, now: number): void {
    const file = imageFile(this.#folder, hash, type);
    writeFileSync(`${file}.new`, bytes, { mode: 0o600 });
    renameSync(`${file}.new`, file);
    this.#database
      .query("INSERT INTO images (hash, type, bytes, seen_at) VALUES (?1, ?2, ?3, ?4)")
      .run(hash, type, bytes.byteLength, now);
    this.#bytes += bytes.byteLength;
  }

  #trim(quota: number): void {
    while (this.#bytes > quota) {
      const deleted = this.#delete(
        "SELECT hash, type, bytes FROM images ORDER BY seen_at LIMIT ?1",
        [STEP],
        this.#bytes - quota,
      );
      if (deleted === 0) return;
    }
  }

  #delete(select: string, values: number[], enough = Number.POSITIVE_INFINITY): number {
    let freed = 0;
    for (const { hash, type, bytes } of Rows.parse(this.#database.query(select).all(...values))) {
      if (freed >= enough) break;
      this.#database.query("DELETE FROM images WHERE hash = ?1").run(hash);
      rmSync(imageFile(this.#folder, hash, type), { force: true });
      freed += bytes;
    }
    this.#bytes -= freed;
    return freed;
  }

  #sum(): number {
    return Sum.parse(
      this.#database.query("SELECT COALESCE(SUM(bytes), 0) AS bytes FROM images").get(),
    ).bytes;
  }

  /** Files that a crash left without a row. */
  #sweep(): void {
    for (const name of readdirSync(this.#folder)) {
      const [hash = "", extension] = name.split(".");
      const type = this.typeOf(hash);
      if (type === null || EXTENSIONS[type] !== extension || name.endsWith(".new")) {
        rmSync(join(this.#folder, name), { force: true });
      }
    }
  }
}

function shown(mediaType: string): string {
  return /^[\w.+/-]{1,60}$/.test(mediaType) ? `of ${mediaType}` : "in base64";
}

/** The runs of printable ASCII in a file, where comments and captions stand, a line each. */
function textsIn(bytes: Uint8Array): string {
  let texts = "";
  let from = 0;
  for (let at = 0; at <= bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte >= 0x20 && byte < 0x7f) continue;
    if (at - from >= SHORTEST_RUN) {
      texts += `${Buffer.from(bytes.buffer, bytes.byteOffset + from, at - from).toString("latin1")}\n`;
    }
    from = at + 1;
  }
  return texts;
}
