import type { FromNetworks, ToNetworks } from "./network-thread.ts";

type Without<Message> = Message extends unknown ? Omit<Message, "seq"> : never;
type Answer = Exclude<FromNetworks, { readonly type: "failed" }>;

/** The thread that runs networks, started when it is first asked. It keeps no process alive. */
export class AskThread {
  readonly #asked = new Map<number, PromiseWithResolvers<Answer>>();
  readonly #onEnd: () => void;
  #thread: Worker | null = null;
  #seq = 0;

  /** @param onEnd it ended, and what it had opened is gone; the next one asked is another */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  /** Rejects where it could not, or ended. */
  ask(message: Without<ToNetworks>): Promise<Answer> {
    const thread = this.#thread ?? this.#start();
    this.#seq += 1;
    const answer = Promise.withResolvers<Answer>();
    this.#asked.set(this.#seq, answer);
    // While somebody waits, it is alive.
    thread.ref();
    thread.postMessage({ ...message, seq: this.#seq } satisfies ToNetworks);
    return answer.promise;
  }

  #start(): Worker {
    const thread = new Worker(new URL("./network-thread.ts", import.meta.url).href);
    this.#thread = thread;
    thread.onmessage = ({ data }: MessageEvent<FromNetworks>) => {
      const answer = this.#asked.get(data.seq);
      this.#asked.delete(data.seq);
      if (this.#asked.size === 0) thread.unref();
      if (data.type === "failed") answer?.reject(new Error(data.message));
      else answer?.resolve(data);
    };
    const ended = (why: string) => {
      if (this.#thread !== thread) return;
      this.#thread = null;
      this.#onEnd();
      for (const { reject } of this.#asked.values()) reject(new Error(why));
      this.#asked.clear();
    };
    thread.onerror = ({ message }) => ended(message);
    thread.addEventListener("close", () => ended("the thread of the networks ended"));
    return thread;
  }
}
