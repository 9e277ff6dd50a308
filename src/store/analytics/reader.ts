import { core, z } from "zod";
import { GatewayError } from "../../contract/errors.ts";
import { type Histogram, Line } from "./figures.ts";
import { FromReader, type ToReader } from "./protocol.ts";
import type { Statement } from "./statement.ts";

const WORKER = new URL("./worker.ts", import.meta.url).href;
/** The longest one question may take. */
const DEADLINE_MS = 5_000;
/** Questions that may wait at once; what people look at asks a handful. */
const MOST_WAITING = 64;
const CLOSE_MS = 1_000;

const Lines = core.compile(z.array(Line));

interface Waiting {
  readonly resolve: (rows: unknown[]) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * Asks the database of the log from a thread of its own, which is started by the first question. One that
 * takes too long is given up, its thread with it: on SQLite there is no other way to stop it.
 */
export class Reader {
  readonly #database: string;
  readonly #deadlineMs: number;
  #worker: Worker | null = null;
  #seq = 0;
  readonly #waiting = new Map<number, Waiting>();
  #closing: PromiseWithResolvers<void> | null = null;

  constructor(database: string, deadlineMs = DEADLINE_MS) {
    this.#database = database;
    this.#deadlineMs = deadlineMs;
  }

  /** Rows as they are. @throws GatewayError 503 when the database can't answer, or not in time */
  rows(statement: Statement): Promise<unknown[]> {
    return this.#ask(statement, null);
  }

  /** What a `figuresStatement` finds, with these histograms. Throws like `rows`. */
  async lines(statement: Statement, histograms: readonly Histogram[]): Promise<Line[]> {
    return Lines.parse(await this.#ask(statement, histograms));
  }

  #ask(statement: Statement, histograms: readonly Histogram[] | null): Promise<unknown[]> {
    if (this.#closing !== null) return Promise.reject(unreadable("it is closed"));
    if (this.#waiting.size >= MOST_WAITING) {
      return Promise.reject(
        new GatewayError("overloaded", "Too many questions about the call log are waiting.", {
          retryAfter: 1,
        }),
      );
    }
    const worker = this.#worker ?? this.#start();
    const seq = this.#seq++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#late(worker, seq), this.#deadlineMs);
      this.#waiting.set(seq, { resolve, reject, timer });
      const { text, values } = statement;
      const wanted = histograms === null ? null : [...histograms];
      this.#post(worker, { kind: "ask", seq, text, values, histograms: wanted });
    });
  }

  async close(): Promise<void> {
    if (this.#closing !== null) return await this.#closing.promise;
    const closing = Promise.withResolvers<void>();
    this.#closing = closing;
    const worker = this.#worker;
    if (worker === null) {
      closing.resolve();
      return;
    }
    this.#post(worker, { kind: "close" });
    const timer = setTimeout(closing.resolve, CLOSE_MS);
    await closing.promise;
    clearTimeout(timer);
    this.#end(worker, unreadable("it is closed"));
  }

  #start(): Worker {
    const worker = new Worker(WORKER);
    worker.unref();
    this.#worker = worker;
    worker.onmessage = (event: MessageEvent<unknown>) => this.#hear(FromReader.parse(event.data));
    worker.onerror = () => this.#end(worker, unreadable("its thread failed"));
    worker.addEventListener("close", () => this.#end(worker, unreadable("its thread ended")));
    this.#post(worker, { kind: "open", database: this.#database });
    return worker;
  }

  #hear(message: FromReader): void {
    if (message.kind === "closed") {
      this.#closing?.resolve();
      return;
    }
    const waiting = this.#waiting.get(message.seq);
    if (waiting === undefined) return;
    this.#waiting.delete(message.seq);
    clearTimeout(waiting.timer);
    if (message.kind === "answer") waiting.resolve(message.rows);
    else waiting.reject(unreadable(message.message));
  }

  #late(worker: Worker, seq: number): void {
    if (!this.#waiting.has(seq)) return;
    const message = `This question took more than ${this.#deadlineMs / 1000} s: ask for a shorter time or fewer groups.`;
    this.#end(worker, new GatewayError("unavailable", message, { retryAfter: 5 }));
  }

  #end(worker: Worker, reason: GatewayError): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    worker.terminate();
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(reason);
    }
    this.#waiting.clear();
    this.#closing?.resolve();
  }

  #post(worker: Worker, message: ToReader): void {
    worker.postMessage(message);
  }
}

/** The reason is for the log; a caller only learns that the log can't be read. */
function unreadable(reason: string): GatewayError {
  return new GatewayError("unavailable", "The call log can't be read just now.", {
    retryAfter: 5,
    cause: new Error(reason),
  });
}
