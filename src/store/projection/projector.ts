import type { SQL } from "bun";
import type { JournalRecord } from "../schema.ts";
import type { JournalEnd } from "../segment.ts";
import { openDatabase, openReadonly, readPosition } from "./database.ts";
import { ingest, type Position } from "./ingest.ts";
import type { FromWorker, Query } from "./protocol.ts";
import { PRUNE_STEP, pruneRefused } from "./prune.ts";
import { deleteIngested, nextPiece } from "./tail.ts";

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;
/** Rows of refused calls that stay in the log, the newest: 40 MB at the most. */
const KEPT_REFUSED = 100_000;

interface Open {
  readonly writer: SQL;
  readonly reader: SQL;
  position: Position;
}

/**
 * Follows the journal into the database, as far as it may be read. Whatever goes wrong with the
 * database, it closes it, says so, and tries again later from the stored position.
 */
export class Projector {
  readonly #journal: string;
  readonly #database: string;
  readonly #tell: (message: FromWorker) => void;
  #open: Promise<Open> | null = null;
  #end: JournalEnd | null = null;
  #running: Promise<void> | null = null;
  #retry: ReturnType<typeof setTimeout> | null = null;
  #retryMs = FIRST_RETRY_MS;
  #closing = false;
  /** The end of the last work on the writing connection. */
  #turn: Promise<void> = Promise.resolve();
  readonly #keptRefused: number;
  /** Rows of refused calls since the last look for ones too many. An earlier process may have left some. */
  #newRefused = PRUNE_STEP;

  constructor(
    journal: string,
    database: string,
    tell: (message: FromWorker) => void,
    keptRefused = KEPT_REFUSED,
  ) {
    this.#journal = journal;
    this.#database = database;
    this.#tell = tell;
    this.#keptRefused = keptRefused;
  }

  /** The journal may now be read up to `end`. */
  readable(end: JournalEnd): void {
    this.#end = end;
    if (this.#retry === null) this.#start();
  }

  async answer(seq: number, query: Query): Promise<void> {
    try {
      const { reader } = await this.#connect();
      const rows: Iterable<unknown> = await reader.unsafe(query.text, query.values);
      this.#tell({ kind: "answer", seq, rows: [...rows] });
    } catch (error) {
      this.#tell({ kind: "failed", seq, message: messageOf(error) });
    }
  }

  /** Runs one statement that changes something. It must not fall into a batch's transaction. */
  async write(seq: number, query: Query): Promise<void> {
    try {
      const { writer } = await this.#connect();
      const rows: Iterable<unknown> = await this.#alone(() =>
        writer.unsafe(query.text, query.values),
      );
      this.#tell({ kind: "answer", seq, rows: [...rows] });
    } catch (error) {
      this.#tell({ kind: "failed", seq, message: messageOf(error) });
    }
  }

  /** One at a time on the writing connection, in the order of asking. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  async close(): Promise<void> {
    this.#closing = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    if (this.#running !== null) await this.#running;
    await this.#turn;
    await this.#shut();
  }

  #start(): void {
    if (this.#closing) return;
    this.#running ??= this.#follow().finally(() => {
      this.#running = null;
    });
  }

  async #follow(): Promise<void> {
    try {
      const open = await this.#connect();
      for (;;) {
        const end = this.#end;
        if (end === null || this.#closing) return;
        const piece = nextPiece(this.#journal, open.position, end);
        if (piece === null) {
          this.#retryMs = FIRST_RETRY_MS;
          this.#report(open.position);
          if (this.#newRefused < PRUNE_STEP) return;
          const pruned = await this.#alone(() => pruneRefused(open.writer, this.#keptRefused));
          if (pruned < PRUNE_STEP) this.#newRefused = 0;
        } else {
          await this.#alone(() => ingest(open.writer, piece.records, piece.next));
          if (piece.next.segment > open.position.segment) deleteIngested(this.#journal, piece.next);
          open.position = piece.next;
          this.#newRefused += piece.records.filter(isRefusal).length;
          this.#report(open.position);
        }
        // Queries wait for one batch at the most.
        await new Promise((resolve) => setImmediate(resolve));
      }
    } catch (error) {
      this.#tell({ kind: "trouble", message: messageOf(error) });
      await this.#shut();
      this.#retry = setTimeout(() => {
        this.#retry = null;
        this.#start();
      }, this.#retryMs);
      this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
    }
  }

  #report(position: Position): void {
    const { segment, offset, skippedBytes } = position;
    this.#tell({ kind: "position", end: { segment, offset }, skippedBytes });
  }

  #connect(): Promise<Open> {
    this.#open ??= openBoth(this.#database).catch((error: unknown) => {
      this.#open = null;
      throw error;
    });
    return this.#open;
  }

  async #shut(): Promise<void> {
    const opening = this.#open;
    this.#open = null;
    // One that fails to open has closed what it had, and told whoever asked for it.
    const open = await opening?.catch(() => null);
    if (!open) return;
    await Promise.allSettled([open.reader.close(), open.writer.close()]);
  }
}

async function openBoth(filename: string): Promise<Open> {
  const writer = await openDatabase(filename);
  try {
    const position = await readPosition(writer);
    const reader = await openReadonly(filename);
    return { writer, reader, position };
  } catch (error) {
    await writer.close();
    throw error;
  }
}

function isRefusal(record: JournalRecord): boolean {
  return record.t === "refuse" || record.t === "refused";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
