import { fileURLToPath } from "node:url";
import { GatewayError } from "../contract/errors.ts";
import { missingPackages } from "../lib/engine-installed.ts";
import { FairTurns } from "../lib/fair-turns.ts";
import { Patience } from "../lib/patience.ts";
import { type ImageBounds, ImageRefused } from "./bounds.ts";
import type { Refit } from "./fit.ts";
import { RefitAnswer, type RefitJob, TOO_MUCH_MEMORY } from "./refit-messages.ts";

export interface RefitterOptions {
  /** Milliseconds that one image may take; then the process that works on it ends. */
  readonly jobMs?: number;
  /** Milliseconds after which a process without work ends. */
  readonly idleMs?: number;
  /** Bytes of memory that the process may take. */
  readonly maxMemory?: number;
  /** Images that may wait, and their bytes together: one may always. */
  readonly maxWaiting?: number;
  readonly maxWaitingBytes?: number;
}

/** Who waits for an image, until when. */
export interface Asker {
  readonly keyId: string;
  readonly signal: AbortSignal;
}

interface Job {
  readonly keyId: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly refit: Refit;
  readonly bounds: ImageBounds;
  readonly resolve: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly reject: (error: unknown) => void;
}

const ENTRY = fileURLToPath(new URL("./refit-child.ts", import.meta.url));
/** The child gets what a library needs to run, and none of the keys this process may have. */
const PASSED_ON = ["PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH"];

/** Whether the library that decodes images is there; `npm install --omit=optional` leaves it out. */
export function canDecode(from: string = import.meta.url): boolean {
  return missingPackages(["sharp"], from).length === 0;
}

/**
 * Makes images smaller, or turns them upright, in a process of its own: started when there is work, ended
 * when there is none. One image at a time, so that its memory is one image's; the others wait, and keys take
 * turns. In a full line the last image of the key that has the most waiting makes room for one of a key that has fewer.
 */
export class Refitter {
  readonly #options: Required<RefitterOptions>;
  readonly #turns = new FairTurns<Job>();
  #waitingBytes = 0;
  #running: { readonly id: number; readonly job: Job; readonly limit: Patience } | null = null;
  #child: Bun.Subprocess | null = null;
  #idle: Patience | null = null;
  #lastId = 0;

  constructor(options: RefitterOptions = {}) {
    this.#options = {
      jobMs: 30_000,
      idleMs: 30_000,
      maxMemory: 1_200_000_000,
      maxWaiting: 64,
      maxWaitingBytes: 200_000_000,
      ...options,
    };
  }

  /** The process that works, for those who watch it; null when there is none. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /**
   * The image as `refit` says. When the asker's signal comes, nothing is waited for any more.
   * @throws ImageRefused for one that can't be decoded within the bounds; GatewayError 503 when too many wait,
   * at once or when a key with fewer comes
   */
  refit(
    bytes: Uint8Array<ArrayBuffer>,
    refit: Refit,
    bounds: ImageBounds,
    { keyId, signal }: Asker,
  ): Promise<Uint8Array<ArrayBuffer>> {
    signal.throwIfAborted();
    while (this.#isFull(bytes.length)) if (!this.#makeRoom(keyId)) throw tooMany();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#leave(job);
        reject(signal.reason);
      };
      const job: Job = {
        ...{ keyId, bytes, refit, bounds },
        resolve: (file) => {
          signal.removeEventListener("abort", leave);
          resolve(file);
        },
        reject: (error) => {
          signal.removeEventListener("abort", leave);
          reject(error);
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#turns.add(keyId, job);
      this.#waitingBytes += bytes.length;
      this.#next();
    });
  }

  /** Ends the process; what waits is refused. */
  close(): void {
    for (let next = this.#turns.next(); next !== null; next = this.#turns.next())
      this.#refuse(next.item);
    this.#idle?.end();
    this.#over()?.reject(tooMany());
    this.#end();
  }

  #isFull(more: number): boolean {
    const { maxWaiting, maxWaitingBytes } = this.#options;
    const { waiting } = this.#turns;
    return waiting >= maxWaiting || (waiting > 0 && this.#waitingBytes + more > maxWaitingBytes);
  }

  /** Whether another key's image was sent away for one of this key. */
  #makeRoom(keyId: string): boolean {
    const longest = this.#turns.longest();
    if (longest === null || longest.items.size <= this.#turns.waitingOf(keyId) + 1) return false;
    const last = [...longest.items].at(-1);
    if (last === undefined) return false;
    this.#refuse(last);
    return true;
  }

  #refuse(job: Job): void {
    this.#leave(job);
    job.reject(tooMany());
  }

  /** It waits no longer, if it did. */
  #leave(job: Job): void {
    if (this.#turns.remove(job.keyId, job)) this.#waitingBytes -= job.bytes.length;
  }

  /** Whoever comes after this gets another process. */
  #end(): void {
    const child = this.#child;
    this.#child = null;
    child?.kill("SIGKILL");
  }

  #next(): void {
    if (this.#running !== null) return;
    const next = this.#turns.next();
    if (next === null) return;
    const { keyId, item: job } = next;
    this.#turns.begin(keyId, 1, job);
    this.#waitingBytes -= job.bytes.length;
    this.#idle?.end();
    const child = this.#child ?? this.#start();
    this.#lastId += 1;
    const limit = new Patience(this.#options.jobMs, () =>
      this.#lose(child, new ImageRefused("the image takes too long to decode")),
    );
    this.#running = { id: this.#lastId, job, limit };
    const { bytes, refit, bounds } = job;
    child.send({ id: this.#lastId, bytes, refit, bounds } satisfies RefitJob);
  }

  #start(): Bun.Subprocess {
    const child: Bun.Subprocess = Bun.spawn(
      [process.execPath, ENTRY, String(this.#options.maxMemory)],
      {
        stdio: ["ignore", "ignore", "ignore"],
        env: {
          ...Object.fromEntries(PASSED_ON.map((name) => [name, process.env[name]])),
          MALLOC_ARENA_MAX: "2",
        },
        serialization: "advanced",
        ipc: (message: unknown) => {
          const answer = RefitAnswer.safeParse(message);
          if (answer.success) this.#answered(answer.data);
          else this.#lose(child, new ImageRefused("the image can't be decoded"));
        },
        onExit: (_, code): void => {
          const why =
            code === TOO_MUCH_MEMORY ? "takes too much memory to decode" : "can't be decoded";
          this.#lose(child, new ImageRefused(`the image ${why}`));
        },
      },
    );
    child.unref();
    this.#child = child;
    return child;
  }

  #answered(answer: RefitAnswer): void {
    const running = this.#running;
    if (running === null || running.id !== answer.id) return;
    this.#over();
    if (answer.type === "done") running.job.resolve(answer.bytes);
    else if (answer.type === "refused") running.job.reject(new ImageRefused(answer.why));
    else running.job.reject(new Error(`decoding an image: ${answer.error}`));
    this.#idle = new Patience(this.#options.idleMs, () => this.#end());
    this.#next();
  }

  /** The process is gone, or has to go. The next image gets another one. */
  #lose(child: Bun.Subprocess, why: ImageRefused): void {
    if (this.#child !== child) return;
    this.#child = null;
    child.kill("SIGKILL");
    this.#over()?.reject(why);
    this.#next();
  }

  /** Nothing runs any more; gives back what did. */
  #over(): Job | null {
    const running = this.#running;
    if (running === null) return null;
    this.#running = null;
    running.limit.end();
    this.#turns.end(running.job.keyId, 1);
    return running.job;
  }
}

function tooMany(): GatewayError {
  return new GatewayError("overloaded", "Too many images are being decoded. Try again.", {
    retryAfter: 2,
    fault: "request",
  });
}
