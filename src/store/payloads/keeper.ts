import { z } from "zod";
import { PatternError } from "../../lib/pattern/parse.ts";
import type { JsonObject } from "../../types.ts";
import { clean, cut } from "./clean.ts";
import { PayloadDatabase } from "./database.ts";
import { Captured, type FromPayloads, type Rules, StoredPayload } from "./protocol.ts";
import { Redactor } from "./redactor.ts";

/** How often what is too old or too much is looked for, at least. */
const TRIM_MS = 30_000;
/** Payloads after which the quota is looked at. */
const TRIM_EVERY = 50;
/** What one step of cleaning up may leave for the next. */
const NEXT_STEP_MS = 5;

const Json = z.record(z.string(), z.unknown());

/** The payloads' thread: redacts, takes images out, writes, deletes. */
export class Keeper {
  readonly #database: PayloadDatabase;
  readonly #tell: (message: FromPayloads) => void;
  #rules: Rules;
  #redactor: Redactor;
  #timer: ReturnType<typeof setTimeout>;
  #sinceTrim = 0;

  constructor(folder: string, rules: Rules, tell: (message: FromPayloads) => void) {
    this.#rules = rules;
    this.#redactor = new Redactor(rules.patterns, rules.secrets);
    this.#tell = tell;
    this.#database = new PayloadDatabase(folder);
    this.#timer = setTimeout(() => this.#trim(), 0);
  }

  /** From now on these count. */
  rule(rules: Rules): void {
    this.#redactor = new Redactor(rules.patterns, rules.secrets);
    this.#rules = rules;
    this.#trim();
  }

  keep(seq: number, text: string): void {
    this.#tell({ kind: "done", seq, detail: this.#kept(text) });
    this.#sinceTrim += 1;
    if (this.#sinceTrim >= TRIM_EVERY) this.#trim();
  }

  /** Why it was not kept, or null. No reason quotes what it is about. */
  #kept(text: string): string | null {
    try {
      const { id, at, request, answer } = Captured.parse(JSON.parse(text));
      const asked = this.#written(request);
      const said = answer === null ? null : this.#written(answer);
      this.#database.put({
        id,
        at,
        request: asked.json,
        answer: said?.json ?? null,
        truncated: asked.truncated || said?.truncated === true,
      });
      return null;
    } catch (error) {
      if (error instanceof PatternError) return "a redaction rule could not be applied";
      return error instanceof RangeError ? "too deeply nested" : nameOf(error);
    }
  }

  #written(payload: JsonObject): { json: string; truncated: boolean } {
    const redactor = this.#redactor;
    const { imageQuotaBytes, maxBytes } = this.#rules;
    const cleaned = clean(payload, redactor, (bytes, type) =>
      this.#database.images.keep(bytes, type, redactor, imageQuotaBytes, Date.now()),
    );
    const json = JSON.stringify(cleaned);
    const truncated = json.length > maxBytes;
    return { json: truncated ? JSON.stringify(cut(cleaned, maxBytes)) : json, truncated };
  }

  read(seq: number, id: string): void {
    try {
      const row = this.#database.get(id);
      const payload =
        row === null
          ? null
          : StoredPayload.parse({
              ...row,
              request: Json.parse(JSON.parse(row.request)),
              answer: row.answer === null ? null : Json.parse(JSON.parse(row.answer)),
            });
      this.#tell({ kind: "payload", seq, payload });
    } catch (error) {
      this.#tell({ kind: "failed", seq, message: nameOf(error) });
    }
  }

  image(seq: number, hash: string): void {
    try {
      this.#tell({ kind: "image", seq, type: this.#database.images.typeOf(hash) });
    } catch (error) {
      this.#tell({ kind: "failed", seq, message: nameOf(error) });
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#database.close();
  }

  #trim(): void {
    clearTimeout(this.#timer);
    this.#sinceTrim = 0;
    let more = false;
    try {
      const { retentionMs, quotaBytes } = this.#rules;
      const before = retentionMs === 0 ? 0 : Date.now() - retentionMs;
      more = this.#database.trim(before, quotaBytes);
      const { bytes, images } = this.#database;
      this.#tell({ kind: "size", bytes, imageBytes: images.bytes });
    } catch (error) {
      // The next one tries again; a disk that refuses is told with the payloads that are not kept.
      if (!(error instanceof Error)) throw error;
    }
    this.#timer = setTimeout(() => this.#trim(), more ? NEXT_STEP_MS : TRIM_MS);
  }
}

/** Messages of a database or a file system name paths, not contents. */
function nameOf(error: unknown): string {
  if (error instanceof SyntaxError || error instanceof z.ZodError) return "not readable";
  return error instanceof Error ? error.message : String(error);
}
