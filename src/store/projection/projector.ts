import { withoutUrl } from "../../lib/url-secrets.ts";
import type { JournalEnd } from "../segment.ts";
import { type Connections, openConnections, type Place } from "./connections.ts";
import { ingest } from "./ingest.ts";
import { type Position, TakenOver } from "./position.ts";
import type { FromWorker, Query } from "./protocol.ts";
import { type Keep, Retention } from "./retention.ts";
import { deleteIngested, nextPiece } from "./tail.ts";

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;
/** A batch that takes longer than this hangs on a connection that is dead. */
const BATCH_MS = 60_000;
/** How long it rests between two steps of tidying, as a multiple of what a step took. */
const RESTS = 2;
const MOST_REST_MS = 50;
/** How often what is too old is looked for when nothing happens. */
const TIDY_MS = 30_000;

/**
 * Follows the journal into the database, as far as it may be read. Whatever goes wrong with the
 * database, it closes it, says so, and tries again later from the stored position.
 */
export class Projector {
  readonly #journal: string;
  readonly #place: Place;
  readonly #tell: (message: FromWorker) => void;
  readonly #retention: Retention;
  #open: Promise<Connections> | null = null;
  /** Whether this process has written to the database. */
  #wrote = false;
  /** Damage that was found, and told, by processes before this one. */
  #skippedBefore: number | null = null;
  #end: JournalEnd | null = null;
  #running: Promise<void> | null = null;
  #retry: ReturnType<typeof setTimeout> | null = null;
  #retryMs = FIRST_RETRY_MS;
  #closing = false;
  /** The end of the last work on the writing connection. */
  #turn: Promise<void> = Promise.resolve();
  readonly #tidying: ReturnType<typeof setInterval>;

  constructor(journal: string, place: Place, tell: (message: FromWorker) => void, keep: Keep) {
    this.#journal = journal;
    this.#place = place;
    this.#tell = tell;
    this.#retention = new Retention(keep);
    this.#tidying = setInterval(() => {
      if (this.#retry === null) this.#start();
    }, TIDY_MS);
    this.#tidying.unref();
  }

  /** The journal may now be read up to `end`. */
  readable(end: JournalEnd): void {
    this.#end = end;
    if (this.#retry === null) this.#start();
  }

  async answer(seq: number, query: Query): Promise<void> {
    try {
      const { reader } = await this.#connect();
      const rows: Iterable<unknown> = await reader.sql.unsafe(query.text, query.values);
      this.#tell({ kind: "answer", seq, rows: [...rows] });
    } catch (error) {
      this.#tell({ kind: "failed", seq, message: this.#reason(error) });
    }
  }

  /** Runs one statement that changes something. It must not fall into a batch's transaction. */
  async write(seq: number, query: Query): Promise<void> {
    try {
      const { writer } = await this.#connect();
      const rows: Iterable<unknown> = await this.#alone(() =>
        writer.sql.unsafe(query.text, query.values),
      );
      this.#tell({ kind: "answer", seq, rows: [...rows] });
    } catch (error) {
      this.#tell({ kind: "failed", seq, message: this.#reason(error) });
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
    clearInterval(this.#tidying);
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
        if (piece !== null) {
          await this.#alone(() => within(BATCH_MS, ingest(open.writer, piece.records, piece.next)));
          if (piece.next.segment > open.position.segment) deleteIngested(this.#journal, piece.next);
          open.position = piece.next;
          if (piece.restarted) this.#tell({ kind: "restarted" });
          if (piece.tornBytes > 0) this.#tell({ kind: "torn", bytes: piece.tornBytes });
          this.#retention.heed(piece.records);
        }
        this.#retryMs = FIRST_RETRY_MS;
        this.#report(open.position);
        const started = performance.now();
        const more = await this.#alone(() => this.#retention.step(open.writer, Date.now()));
        if (piece === null && !more) return;
        // Queries wait for one batch, or one step of tidying, at the most. With much to delete and nothing
        // else to do it rests most of the time: whoever answers calls needs the processor more.
        const rest = piece === null ? (performance.now() - started) * RESTS : 0;
        await Bun.sleep(Math.min(MOST_REST_MS, rest));
      }
    } catch (error) {
      this.#tell({ kind: "trouble", message: this.#reason(error) });
      await this.#shut();
      // Nothing is gained by taking it back from a process that would do the same.
      if (error instanceof TakenOver) return;
      this.#retry = setTimeout(() => {
        this.#retry = null;
        this.#start();
      }, this.#retryMs);
      this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2);
    }
  }

  #report(position: Position): void {
    const { segment, offset, skippedBytes } = position;
    const skippedNow = skippedBytes - (this.#skippedBefore ?? skippedBytes);
    this.#tell({ kind: "position", end: { segment, offset }, skippedBytes: skippedNow });
  }

  #connect(): Promise<Connections> {
    this.#open ??= openConnections(this.#place, !this.#wrote).then(
      (open) => {
        this.#wrote = true;
        this.#skippedBefore ??= open.position.skippedBytes;
        return open;
      },
      (error: unknown) => {
        this.#open = null;
        throw error;
      },
    );
    return this.#open;
  }

  async #shut(): Promise<void> {
    const opening = this.#open;
    this.#open = null;
    // One that fails to open has closed what it had, and told whoever asked for it.
    const open = await opening?.catch(() => null);
    await open?.close();
  }

  /** An error's message, without the database's address, which may hold a password. */
  #reason(error: unknown): string {
    const message = error instanceof Error ? error.message : String(error);
    return withoutUrl(message, this.#place.database, "the database");
  }
}

/** Rejects when the work takes longer; what it does then is undone with its connection. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${ms / 1000} s`)), ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
