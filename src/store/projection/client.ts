import { withoutUrl } from "../../lib/url-secrets.ts";
import { type JournalEnd, listSegments, segmentPath } from "../segment.ts";
import type { Place } from "./connections.ts";
import { FromWorker, type Query, type ToWorker } from "./protocol.ts";
import type { Keep } from "./retention.ts";

const WORKER = new URL("./worker.ts", import.meta.url).href;
/**
 * How often the worker is told at most that there is more to read. What many calls add to is written once for
 * all that come at once, so it is seldom, unless somebody waits for it.
 */
const POKE_MS = 500;
const AWAITED_POKE_MS = 100;
const RESTART_MS = 1000;

export type QueryValues = Query["values"];

/**
 * `torn`: the beginning of a record whose process was killed while it wrote; nobody was told that it is
 * kept. `restarted`: the database's place in the journal was another journal's.
 */
export type Found =
  | { readonly kind: "torn"; readonly bytes: number }
  | { readonly kind: "restarted" };

interface Waiting {
  readonly resolve: (rows: unknown[]) => void;
  readonly reject: (error: Error) => void;
}

/** From which journal into which database, and how much stays there. */
export interface ProjectionOptions {
  /** The folder. */
  readonly journal: string;
  readonly place: Omit<Place, "process">;
  readonly keep: Keep;
  /** Told what was found in the journal that is nothing wrong now. */
  readonly found?: (what: Found) => void;
}

/** The main thread's side of the projection: pokes the worker, asks it, and knows how far it is. */
export class Projection {
  readonly #options: ProjectionOptions;
  readonly #process = Bun.randomUUIDv7();
  readonly #script: string;
  #worker: Worker | null = null;
  #readable: JournalEnd = { segment: 0, offset: 0 };
  #position: JournalEnd = { segment: 0, offset: 0 };
  #skippedBytes = 0;
  #trouble: string | null = null;
  /** Bytes in each segment that is not wholly in the database. */
  readonly #sizes = new Map<number, number>();
  #poke: ReturnType<typeof setTimeout> | null = null;
  #pokedAt = Number.NEGATIVE_INFINITY;
  /** Whether there is more to read than the worker was told. */
  #untold = false;
  /** How many wait for the database to catch up. */
  #awaited = 0;
  #seq = 0;
  readonly #waiting = new Map<number, Waiting>();
  #progress: (() => void)[] = [];
  #closed: PromiseWithResolvers<void> | null = null;
  #restart: ReturnType<typeof setTimeout> | null = null;

  constructor(options: ProjectionOptions, script = WORKER) {
    this.#options = options;
    this.#script = script;
    for (const segment of listSegments(options.journal)) {
      this.#sizes.set(segment, Bun.file(segmentPath(options.journal, segment)).size);
    }
    this.#start();
  }

  /** Why the journal does not get into the database, or null. */
  get trouble(): string | null {
    if (this.#trouble !== null) return `The call log's database: ${this.#trouble}`;
    if (this.#skippedBytes === 0) return null;
    return `${this.#skippedBytes} bytes of journal were damaged and skipped`;
  }

  /** Bytes of journal that are not in the database yet. */
  get lagBytes(): number {
    let bytes = 0;
    for (const [segment, size] of this.#sizes) {
      if (segment > this.#position.segment) bytes += size;
      else if (segment === this.#position.segment) bytes += size - this.#position.offset;
    }
    return Math.max(0, bytes);
  }

  /** The journal may be read up to `end`. The worker hears of it at once, or with the next poke. */
  readable(end: JournalEnd): void {
    this.#readable = end;
    this.#sizes.set(end.segment, end.offset);
    this.#untold = true;
    if (this.#poke === null) this.#planPoke();
  }

  /** Runs one read-only statement in the worker. */
  query(text: string, values: QueryValues): Promise<unknown[]> {
    return this.#ask("query", { text, values });
  }

  /** Runs one statement that changes something, between two batches of the journal. */
  write(text: string, values: QueryValues): Promise<unknown[]> {
    return this.#ask("write", { text, values });
  }

  #ask(kind: "query" | "write", query: Query): Promise<unknown[]> {
    const worker = this.#worker;
    if (worker === null) return Promise.reject(new Error("the call log's database is not open"));
    const seq = this.#seq++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(seq, { resolve, reject });
      this.#post(worker, { kind, seq, query });
    });
  }

  /** Waits until the database holds everything readable now; false when that takes longer than `timeoutMs`. */
  async caughtUp(timeoutMs: number): Promise<boolean> {
    const end = this.#readable;
    this.#awaited++;
    this.#planPoke();
    const late = Promise.withResolvers<void>();
    let expired = false;
    const timer = setTimeout(() => {
      expired = true;
      late.resolve();
    }, timeoutMs);
    while (!expired && isBefore(this.#position, end)) {
      const progress = new Promise<void>((resolve) => this.#progress.push(resolve));
      await Promise.race([progress, late.promise]);
    }
    clearTimeout(timer);
    this.#awaited--;
    return !isBefore(this.#position, end);
  }

  /** Ends the worker after the statement it is in. */
  async close(timeoutMs: number): Promise<void> {
    const worker = this.#worker;
    this.#closed = Promise.withResolvers();
    if (this.#poke !== null) clearTimeout(this.#poke);
    if (this.#restart !== null) clearTimeout(this.#restart);
    if (worker !== null) {
      this.#post(worker, { kind: "close" });
      const timer = setTimeout(this.#closed.resolve, timeoutMs);
      await this.#closed.promise;
      clearTimeout(timer);
      this.#worker = null;
      worker.terminate();
    }
    this.#rejectWaiting("the call log is closed");
  }

  #start(): void {
    const worker = new Worker(this.#script);
    worker.unref();
    this.#worker = worker;
    worker.onmessage = (event: MessageEvent<unknown>) => this.#hear(FromWorker.parse(event.data));
    worker.onerror = (event) => this.#died(worker, this.#reason(event.message));
    worker.addEventListener("close", () => this.#died(worker, "its thread ended"));
    const { journal, place, keep } = this.#options;
    this.#post(worker, {
      kind: "open",
      journal,
      place: { ...place, process: this.#process },
      keep,
    });
    if (this.#readable.segment > 0) this.#pokeNow();
  }

  /** The thread is restarted; the position is in the database, so nothing is read twice or missed. */
  #died(worker: Worker, message: string): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#trouble = message;
    worker.terminate();
    this.#rejectWaiting(message);
    this.#closed?.resolve();
    if (this.#closed === null) this.#restart = setTimeout(() => this.#start(), RESTART_MS).unref();
  }

  /** What a thread's error says, without the database's address. */
  #reason(printed: string): string {
    return withoutUrl(firstLine(printed), this.#options.place.database, "the database");
  }

  /** Tells the worker as soon as it may be told. */
  #planPoke(): void {
    if (this.#poke !== null) clearTimeout(this.#poke);
    this.#poke = null;
    if (!this.#untold) return;
    const every = this.#awaited > 0 ? AWAITED_POKE_MS : POKE_MS;
    const rest = this.#pokedAt + every - performance.now();
    if (rest <= 0) this.#pokeNow();
    else this.#poke = setTimeout(() => this.#pokeNow(), rest).unref();
  }

  #pokeNow(): void {
    this.#poke = null;
    this.#untold = false;
    this.#pokedAt = performance.now();
    if (this.#worker !== null) {
      this.#post(this.#worker, { kind: "readable", end: this.#readable });
    }
  }

  #post(worker: Worker, message: ToWorker): void {
    worker.postMessage(message);
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case "position":
        this.#trouble = null;
        this.#position = message.end;
        this.#skippedBytes = message.skippedBytes;
        for (const segment of this.#sizes.keys()) {
          if (segment < message.end.segment) this.#sizes.delete(segment);
        }
        this.#wake();
        break;
      case "torn":
      case "restarted":
        this.#options.found?.(message);
        break;
      case "trouble":
        this.#trouble = message.message;
        break;
      case "answer":
        this.#take(message.seq)?.resolve(message.rows);
        break;
      case "failed":
        this.#take(message.seq)?.reject(new Error(message.message));
        break;
      case "closed":
        this.#closed?.resolve();
        break;
    }
  }

  #take(seq: number): Waiting | undefined {
    const waiting = this.#waiting.get(seq);
    this.#waiting.delete(seq);
    return waiting;
  }

  #wake(): void {
    const waiting = this.#progress;
    this.#progress = [];
    for (const resolve of waiting) resolve();
  }

  #rejectWaiting(message: string): void {
    for (const waiting of this.#waiting.values()) waiting.reject(new Error(message));
    this.#waiting.clear();
  }
}

function isBefore(a: JournalEnd, b: JournalEnd): boolean {
  return a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);
}

/** Bun gives a thread's error as it prints it: lines of source, a caret, the message, the stack. */
function firstLine(printed: string): string {
  const line = printed.split("\n").find((text) => !/^\s*(\d+ \|.*|\^)?$/.test(text));
  return (line ?? printed).replace(/^\w*error: /i, "");
}
