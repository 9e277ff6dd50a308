import { GatewayError } from "../../contract/errors.ts";
import { Patience } from "../../lib/patience.ts";
import type { Flaw } from "./check.ts";
import type { Checked, ToCheck } from "./check-thread.ts";

const THREAD = new URL("./check-thread.ts", import.meta.url).href;
/** What a check may take on the thread, in milliseconds: many times what it needs of a processor. */
const MOST_MS = 5_000;

interface Asked {
  readonly seq: number;
  readonly answer: PromiseWithResolvers<Flaw | null>;
  readonly patience: Patience;
}

/** The thread that tries checks, as the gateway has it: started when it is needed, replaced when it fails. */
export class Checker {
  readonly #entry: string;
  readonly #mostMs: number;
  #thread: Worker | null = null;
  #asked: Asked | null = null;
  #seq = 0;

  /**
   * @param entry what runs on the thread
   * @param mostMs after so long without an answer the thread is ended
   */
  constructor(entry = THREAD, mostMs = MOST_MS) {
    this.#entry = entry;
    this.#mostMs = mostMs;
  }

  /** Checks so far. */
  get asked(): number {
    return this.#seq;
  }

  /**
   * @param check as JSON; one at a time
   * @throws GatewayError unavailable, where the thread fails or does not answer in time
   */
  flawOf(check: string): Promise<Flaw | null> {
    const thread = this.#thread ?? this.#start();
    this.#seq += 1;
    const patience = new Patience(this.#mostMs, () => {
      this.#lost(thread);
      thread.terminate();
    });
    const asked = { seq: this.#seq, answer: Promise.withResolvers<Flaw | null>(), patience };
    this.#asked = asked;
    thread.postMessage({ seq: asked.seq, check } satisfies ToCheck);
    return asked.answer.promise;
  }

  #start(): Worker {
    const thread = new Worker(this.#entry);
    thread.unref();
    this.#thread = thread;
    thread.onmessage = ({ data: { seq, flaw } }: MessageEvent<Checked>) => {
      if (seq === this.#asked?.seq) this.#answer(flaw);
    };
    const ended = () => this.#lost(thread);
    thread.onerror = ended;
    thread.addEventListener("close", ended);
    return thread;
  }

  #lost(thread: Worker): void {
    if (this.#thread !== thread) return;
    this.#thread = null;
    this.#answer(undefined);
  }

  /** Undefined where the check failed. */
  #answer(flaw: Checked["flaw"]): void {
    const asked = this.#asked;
    if (asked === null) return;
    this.#asked = null;
    asked.patience.end();
    if (flaw === undefined) asked.answer.reject(failed());
    else asked.answer.resolve(flaw);
  }
}

function failed(): GatewayError {
  return new GatewayError("unavailable", "The form of the answer could not be checked. Try again.");
}
