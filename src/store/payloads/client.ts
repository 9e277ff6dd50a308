import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Caller, CapturedCall, Payloads } from "../../types.ts";
import { imageFile } from "./images.ts";
import { FromPayloads, type Rules, type StoredPayload, type ToPayloads } from "./protocol.ts";
import { weigh } from "./weigh.ts";

const WORKER = new URL("./worker.ts", import.meta.url).href;
/** Payloads that wait to be handed over; each is work for the gateway's own thread. */
const MOST_QUEUED = 2000;
const RESTART_MS = 1000;
const HASH = /^[0-9a-f]{64}$/;

export interface PayloadOptions extends Rules {
  /** Of calls whose key doesn't say. */
  readonly mode: "off" | "sampled" | "on";
  /** The share of calls that `sampled` keeps, 0 to 1. */
  readonly sampleRate: number;
  /** Bytes that may be on their way to the disk; past that payloads are dropped. */
  readonly maxPendingBytes: number;
}

/** How it is with payloads, for people and metrics. Counts are since the start. */
export interface PayloadState {
  readonly kept: number;
  /** Not taken, since too much was on its way. */
  readonly dropped: number;
  /** Taken, and not written. */
  readonly failed: number;
  /** Why the last one was not written; never what was in it. */
  readonly lastFailure: string | null;
  readonly pendingBytes: number;
  /** On disk, as of the last look. */
  readonly bytes: number;
  readonly imageBytes: number;
}

interface Waiting {
  readonly resolve: (message: FromPayloads) => void;
  readonly reject: (error: Error) => void;
}

/** The main thread's side of payloads: decides what is kept, holds a bounded queue, asks for what was kept. */
export class PayloadStore implements Payloads {
  readonly #folder: string;
  readonly #random: () => number;
  readonly #script: string;
  #options: PayloadOptions;
  #worker: Worker | null = null;
  #queue: { captured: CapturedCall; weight: number }[] = [];
  #scheduled = false;
  #seq = 0;
  /** Weights of what was handed over and is not dealt with. */
  readonly #sent = new Map<number, number>();
  readonly #waiting = new Map<number, Waiting>();
  #idle: (() => void)[] = [];
  #pendingBytes = 0;
  #counts = { kept: 0, dropped: 0, failed: 0 };
  #lastFailure: string | null = null;
  #size = { bytes: 0, imageBytes: 0 };
  #closed: PromiseWithResolvers<void> | null = null;
  #notBefore = 0;

  /** @param folder of the payloads alone; made when the first one is kept */
  constructor(
    folder: string,
    options: PayloadOptions,
    random: () => number = Math.random,
    script = WORKER,
  ) {
    this.#folder = folder;
    this.#options = options;
    this.#random = random;
    this.#script = script;
    // What an earlier process kept grows old too.
    if (existsSync(join(folder, "payloads.db"))) this.#start();
  }

  wants({ key }: Caller): boolean {
    const mode = key?.payloads ?? this.#options.mode;
    if (mode === "off" || this.#closed !== null) return false;
    return mode === "on" || this.#random() < this.#options.sampleRate;
  }

  keep(captured: CapturedCall): void {
    const room = this.#options.maxPendingBytes - this.#pendingBytes;
    const weight =
      this.#queue.length >= MOST_QUEUED || this.#closed !== null
        ? Number.POSITIVE_INFINITY
        : weigh([captured.request, captured.answer], room);
    if (weight > room) {
      this.#counts.dropped += 1;
      return;
    }
    this.#pendingBytes += weight;
    this.#queue.push({ captured, weight });
    this.#schedule();
  }

  /** What is kept of a call, or null. Rejects while its thread can't answer. */
  async read(id: string): Promise<StoredPayload | null> {
    if (this.#worker === null && !existsSync(join(this.#folder, "payloads.db"))) return null;
    const message = await this.#ask((seq) => ({ kind: "read", seq, id }));
    return message.kind === "payload" ? message.payload : null;
  }

  /** Where an image lies, by the SHA-256 that stands for it; null when it is not there. */
  async image(hash: string): Promise<{ file: string; type: string } | null> {
    if (!HASH.test(hash)) return null;
    if (this.#worker === null && !existsSync(join(this.#folder, "payloads.db"))) return null;
    const message = await this.#ask((seq) => ({ kind: "image", seq, hash }));
    if (message.kind !== "image" || message.type === null) return null;
    return {
      file: imageFile(join(this.#folder, "images"), hash, message.type),
      type: message.type,
    };
  }

  state(): PayloadState {
    const { kept, dropped, failed } = this.#counts;
    return {
      kept,
      dropped,
      failed,
      lastFailure: this.#lastFailure,
      pendingBytes: this.#pendingBytes,
      ...this.#size,
    };
  }

  /** From now on these count, for what is kept from now on. */
  configure(options: PayloadOptions): void {
    this.#options = options;
    if (this.#worker !== null) this.#open(this.#worker);
  }

  /** Resolves when all that was taken is dealt with. */
  async settled(): Promise<void> {
    while (this.#pendingBytes > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Writes what is pending, for at most `timeoutMs`, and ends the thread. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#closed !== null) return await this.#closed.promise;
    const closed = Promise.withResolvers<void>();
    const timer = setTimeout(closed.resolve, timeoutMs);
    await Promise.race([this.settled(), closed.promise]);
    this.#closed = closed;
    const worker = this.#worker;
    if (worker === null) closed.resolve();
    else this.#post(worker, { kind: "close" });
    await closed.promise;
    clearTimeout(timer);
    this.#worker = null;
    worker?.terminate();
    this.#lose("payloads are closed");
  }

  #schedule(): void {
    if (this.#scheduled || this.#queue.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#handOver();
      this.#schedule();
    });
  }

  /** One at a time: making its JSON is the only work that the gateway's thread has with it. */
  #handOver(): void {
    const next = this.#queue.shift();
    if (next === undefined) return;
    const worker = this.#worker ?? this.#start();
    if (worker === null) {
      this.#counts.failed += 1;
      this.#release(next.weight);
      return;
    }
    const seq = this.#seq++;
    this.#sent.set(seq, next.weight);
    this.#post(worker, { kind: "keep", seq, text: JSON.stringify(next.captured) });
  }

  #ask(message: (seq: number) => ToPayloads): Promise<FromPayloads> {
    const worker = this.#worker ?? this.#start();
    if (worker === null) return Promise.reject(new Error("the payloads' thread is not running"));
    const seq = this.#seq++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(seq, { resolve, reject });
      this.#post(worker, message(seq));
    });
  }

  #start(): Worker | null {
    if (this.#closed !== null || performance.now() < this.#notBefore) return null;
    const worker = new Worker(this.#script);
    worker.unref();
    this.#worker = worker;
    worker.onmessage = (event: MessageEvent<unknown>) => this.#hear(FromPayloads.parse(event.data));
    worker.onerror = () => this.#died(worker);
    worker.addEventListener("close", () => this.#died(worker));
    this.#open(worker);
    return worker;
  }

  #open(worker: Worker): void {
    const { mode: _mode, sampleRate: _rate, maxPendingBytes: _most, ...rules } = this.#options;
    this.#post(worker, {
      kind: "open",
      folder: this.#folder,
      rules: { ...rules, patterns: [...rules.patterns], secrets: [...rules.secrets] },
    });
  }

  /** What it had is lost and counted; the next payload starts another one. */
  #died(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    this.#notBefore = performance.now() + RESTART_MS;
    worker.terminate();
    this.#lose("its thread ended");
    this.#closed?.resolve();
  }

  #lose(reason: string): void {
    for (const weight of this.#sent.values()) {
      this.#counts.failed += 1;
      this.#lastFailure = reason;
      this.#release(weight);
    }
    this.#sent.clear();
    for (const waiting of this.#waiting.values()) waiting.reject(new Error(reason));
    this.#waiting.clear();
  }

  #release(weight: number): void {
    this.#pendingBytes -= weight;
    if (this.#pendingBytes > 0) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  #post(worker: Worker, message: ToPayloads): void {
    worker.postMessage(message);
  }

  #hear(message: FromPayloads): void {
    switch (message.kind) {
      case "done": {
        const weight = this.#sent.get(message.seq);
        if (weight === undefined) return;
        this.#sent.delete(message.seq);
        if (message.detail === null) this.#counts.kept += 1;
        else {
          this.#counts.failed += 1;
          this.#lastFailure = message.detail;
        }
        this.#release(weight);
        break;
      }
      case "size":
        this.#size = { bytes: message.bytes, imageBytes: message.imageBytes };
        break;
      case "payload":
      case "image":
        this.#waiting.get(message.seq)?.resolve(message);
        this.#waiting.delete(message.seq);
        break;
      case "failed":
        this.#waiting.get(message.seq)?.reject(new Error(message.message));
        this.#waiting.delete(message.seq);
        break;
      case "closed":
        this.#closed?.resolve();
        break;
    }
  }
}
