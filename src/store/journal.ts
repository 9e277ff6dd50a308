import { GatewayError } from "../contract/errors.ts";
import { encode, encodedBound, MAX_PAYLOAD_BYTES } from "./record.ts";
import {
  type JournalEnd,
  listSegments,
  realFiles,
  Segment,
  type SegmentFiles,
  segmentPath,
} from "./segment.ts";

/**
 * What an appended record is sure to survive once its promise resolves. `process`: kill -9, because
 * the bytes are the kernel's. `power`: a power loss too, because they are the disk's.
 */
export type Durability = "process" | "power";

export interface JournalOptions {
  readonly dir: string;
  readonly durability: Durability;
  /** Told whenever more of the journal may be read. Nothing past it may be: it can be taken back. */
  readonly onReadable: (end: JournalEnd) => void;
  readonly files?: SegmentFiles;
  readonly segmentBytes?: number;
  readonly retryMs?: number;
}

/** What happens to a record that cannot be written: its promise rejects, or it is kept and retried. */
export type Fate = "reject" | "keep";

const SEGMENT_BYTES = 64 << 20;
/** Kept records while the disk refuses. Reserves are refused then, so only running calls add to it. */
const MAX_KEPT = 100_000;
const BUFFER_BYTES = 256 << 10;

/** The records of one tick. They go out in one write and share two promises. */
interface Batch {
  readonly texts: string[];
  readonly kept: string[];
  reserved: PromiseWithResolvers<void> | null;
  keptDone: PromiseWithResolvers<void> | null;
}

/**
 * The append-only journal, written by one process. Every record appended in one tick of the event
 * loop goes out in one write: `setImmediate` runs when the tick's I/O callbacks are done, so a
 * hundred requests that arrived together cost one system call, and a single one does not wait.
 * The write is synchronous: it copies into the page cache in microseconds, which a trip to a thread
 * and back does not. Each journal starts a segment of its own and never touches an older one.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #files: SegmentFiles;
  #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #segment: Segment;
  #readable: JournalEnd;
  /** Full segments whose last bytes are not synced yet. */
  #retired: Segment[] = [];
  #tick: Batch | null = null;
  #unsynced: Batch[] = [];
  #syncing: Promise<void> | null = null;
  #failure: string | null = null;
  /** Oldest first. */
  #kept: Batch[] = [];
  #keptCount = 0;
  #lost = 0;
  #retry: ReturnType<typeof setInterval> | null = null;
  #closed = false;

  /** Starts a segment after the newest one in the folder. Throws when the file cannot be created. */
  constructor(options: JournalOptions) {
    this.#options = options;
    this.#files = options.files ?? realFiles;
    const newest = listSegments(options.dir).at(-1) ?? 0;
    this.#segment = new Segment(options.dir, newest + 1, this.#files);
    this.#readable = { segment: newest + 1, offset: 0 };
  }

  /** Why records cannot be written now, or null. */
  get failure(): string | null {
    const lost = this.#lost > 0 ? `${this.#lost} records were lost` : null;
    return this.#failure === null ? lost : `${this.#failure}${lost === null ? "" : `; ${lost}`}`;
  }

  /** False while records are refused or kept. */
  get writable(): boolean {
    return this.#failure === null && !this.#closed;
  }

  /** How far a reader may read: everything before it is durable. */
  get readable(): JournalEnd {
    return this.#readable;
  }

  /**
   * Queues one JSON text. Resolves once it is durable. `reject`: rejects with
   * `GatewayError("unavailable")` when it cannot be written. `keep`: never rejects; what cannot be
   * written is held in memory and retried every second, oldest first, and its promise resolves.
   */
  append(text: string, fate: Fate): Promise<void> {
    if (text.length * 3 > MAX_PAYLOAD_BYTES) throw new RangeError("a journal record is too long");
    if (fate === "reject" && !this.writable) return Promise.reject(this.#unavailable());
    if (this.#closed) return Promise.resolve();
    let batch = this.#tick;
    if (batch === null) {
      batch = { texts: [], kept: [], reserved: null, keptDone: null };
      this.#tick = batch;
      setImmediate(() => this.#flush());
    }
    batch.texts.push(text);
    if (fate === "keep") {
      batch.kept.push(text);
      batch.keptDone ??= Promise.withResolvers();
      return batch.keptDone.promise;
    }
    batch.reserved ??= Promise.withResolvers();
    return batch.reserved.promise;
  }

  /** Writes what is queued now, and resolves when it is durable or kept. */
  async flush(): Promise<void> {
    this.#flush();
    while (this.#syncing !== null) await this.#syncing;
  }

  /** Writes what is queued, tries once more what was kept, and closes the file. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#flush();
    if (this.#failure !== null) this.#tryAgain();
    this.#closed = true;
    while (this.#syncing !== null) await this.#syncing;
    this.#stopRetrying();
    this.#segment.close();
  }

  #flush(): void {
    const batch = this.#tick;
    if (batch === null) return;
    this.#tick = null;
    if (this.#failure === null) this.#write(batch);
    else this.#shelve(batch);
  }

  /** Puts one batch into the file; on failure shelves it and says false. */
  #write(batch: Batch): boolean {
    try {
      if (this.#segment.abandoned || this.#segment.size >= this.#segmentBytes) this.#rotate();
      const bound = encodedBound(batch.texts);
      if (bound > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(bound);
      this.#segment.append(this.#buffer, encode(batch.texts, this.#buffer));
    } catch (error) {
      this.#fail(error);
      this.#shelve(batch);
      return false;
    } finally {
      if (this.#buffer.length > BUFFER_BYTES) this.#buffer = Buffer.allocUnsafe(BUFFER_BYTES);
    }
    if (this.#options.durability === "power") {
      this.#unsynced.push(batch);
      this.#sync();
    } else {
      resolve(batch);
      this.#publish(this.#segment.number, this.#segment.size);
    }
    return true;
  }

  #publish(segment: number, offset: number): void {
    this.#readable = { segment, offset };
    this.#options.onReadable(this.#readable);
  }

  get #segmentBytes(): number {
    return this.#options.segmentBytes ?? SEGMENT_BYTES;
  }

  #rotate(): void {
    const full = this.#segment;
    this.#segment = new Segment(this.#options.dir, full.number + 1, this.#files);
    if (this.#options.durability === "power" && !full.abandoned) this.#retired.push(full);
    else full.close();
  }

  /** One sync at a time: what is written while it runs waits for the next, which covers it all. */
  #sync(): void {
    if (this.#syncing !== null || this.#unsynced.length === 0) return;
    const group = this.#unsynced;
    this.#unsynced = [];
    const full = this.#retired;
    this.#retired = [];
    const segment = this.#segment;
    const run = async () => {
      try {
        for (const old of full) {
          await old.sync();
          old.close();
        }
        await segment.sync();
        for (const batch of group) resolve(batch);
        this.#publish(segment.number, segment.synced);
      } catch (error) {
        this.#unsyncable(error, group, full);
      }
      this.#syncing = null;
      this.#sync();
    };
    this.#syncing = run();
  }

  /**
   * After a failed sync the kernel may have dropped the pages, and a second sync would say all is
   * well: nothing since the last good one counts, and the file is not used again.
   */
  #unsyncable(error: unknown, group: readonly Batch[], full: readonly Segment[]): void {
    this.#fail(error);
    for (const old of [...full, ...this.#retired]) {
      old.cutTo(old.synced);
      old.close();
    }
    this.#retired = [];
    this.#segment.cutTo(this.#segment.synced);
    this.#segment.abandoned = true;
    const failed = [...group, ...this.#unsynced];
    this.#unsynced = [];
    for (const batch of failed) this.#shelve(batch);
  }

  #fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const file = segmentPath(this.#options.dir, this.#segment.number);
    this.#failure = `The journal ${file} cannot be written: ${message}`;
    this.#retry ??= setInterval(() => this.#tryAgain(), this.#options.retryMs ?? 1000);
    this.#retry.unref();
  }

  /** Refuses the batch's reserves and keeps the rest for `#tryAgain`. */
  #shelve(batch: Batch): void {
    batch.reserved?.reject(this.#unavailable());
    const room = MAX_KEPT - this.#keptCount;
    this.#lost += Math.max(0, batch.kept.length - room);
    const kept = batch.kept.slice(0, Math.max(0, room));
    // An answer that waits for its record must not wait for the disk to have room again.
    batch.keptDone?.resolve();
    if (kept.length === 0) return;
    this.#keptCount += kept.length;
    this.#kept.push({ texts: kept, kept, reserved: null, keptDone: null });
  }

  #tryAgain(): void {
    const waiting = this.#kept;
    this.#kept = [];
    this.#keptCount = 0;
    // With nothing to write, a probe: a gateway that is not ready gets no calls to try with.
    if (waiting.length === 0) {
      const probe = JSON.stringify({ t: "probe", at: Date.now() });
      waiting.push({ texts: [probe], kept: [], reserved: null, keptDone: null });
    }
    for (const [index, batch] of waiting.entries()) {
      if (this.#write(batch)) continue;
      for (const later of waiting.slice(index + 1)) this.#shelve(later);
      return;
    }
    this.#failure = null;
    this.#stopRetrying();
  }

  #stopRetrying(): void {
    if (this.#retry !== null) clearInterval(this.#retry);
    this.#retry = null;
  }

  #unavailable(): GatewayError {
    return new GatewayError(
      "unavailable",
      "The call log cannot be written, so calls are not accepted.",
      { retryAfter: 1 },
    );
  }
}

function resolve(batch: Batch): void {
  batch.reserved?.resolve();
  batch.keptDone?.resolve();
}
