import { RedisClient } from "bun";
import { withoutUrl } from "./url-secrets.ts";

/** One connection to one process of Redis. It never comes back: another connection is another object. */
export interface RedisConnection {
  /** That process's own id: another one after each restart. */
  readonly run: string;
  /** Rejects when Redis says no, at once when the connection is gone, and after the time-out; then the connection is given up. */
  send(command: string, args: readonly string[]): Promise<unknown>;
  /** Gives it up. What was sent and not answered may have been done. */
  drop(reason: string): void;
}

export interface RedisLinkOptions {
  readonly url: string;
  /** Milliseconds for a connection, and for each answer. */
  readonly timeoutMs: number;
  /** Milliseconds before the next try, at first and at most. */
  readonly pauseMs: { readonly least: number; readonly most: number };
  /** A connection stands. It is given up when this rejects. */
  readonly up: (connection: RedisConnection) => Promise<void>;
  /** It does not any more, or none could be had. The reason holds no secret. */
  readonly down: (reason: string) => void;
}

/** Keeps a connection to Redis, one after the other. */
export class RedisLink {
  readonly #options: RedisLinkOptions;
  #stopped = false;
  #current: Connection | null = null;
  #wake: (() => void) | null = null;

  constructor(options: RedisLinkOptions) {
    this.#options = options;
  }

  /** Begins to connect. Resolves when it was stopped; never rejects. */
  async run(): Promise<void> {
    const { pauseMs, up, down } = this.#options;
    let pause = pauseMs.least;
    while (!this.#stopped) {
      try {
        // An address that the client does not take is thrown here, like one that nobody answers at.
        const connection = new Connection(this.#options);
        this.#current = connection;
        try {
          await connection.open();
          await up(connection);
          pause = pauseMs.least;
        } catch (error) {
          connection.drop(this.#reason(error));
        }
        down(await connection.ended);
      } catch (error) {
        down(this.#reason(error));
      }
      if (!this.#stopped) await this.#pause(pause);
      pause = Math.min(pause * 2, pauseMs.most);
    }
  }

  #reason(error: unknown): string {
    const reason = error instanceof Error ? error.message : String(error);
    return withoutUrl(reason, this.#options.url, "Redis");
  }

  stop(): void {
    this.#stopped = true;
    this.#current?.drop("it was closed");
    this.#wake?.();
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

class Connection implements RedisConnection {
  readonly #client: RedisClient;
  readonly #timeoutMs: number;
  readonly #end = Promise.withResolvers<string>();
  #run = "";
  #gone: string | null = null;

  constructor({ url, timeoutMs }: RedisLinkOptions) {
    this.#timeoutMs = timeoutMs;
    // A connection that came back by itself could lead to another process with other data; commands
    // that waited for it would be done at a time of which nobody knows.
    this.#client = new RedisClient(url, {
      autoReconnect: false,
      enableOfflineQueue: false,
      connectionTimeout: timeoutMs,
    });
    this.#client.onclose = () => this.drop("the connection was closed");
  }

  get run(): string {
    return this.#run;
  }

  /** Why it ended. */
  get ended(): Promise<string> {
    return this.#end.promise;
  }

  async open(): Promise<void> {
    await this.#inTime(this.#client.connect());
    const info = await this.send("INFO", ["server"]);
    const run = typeof info === "string" ? /^run_id:(\w+)/m.exec(info)?.[1] : undefined;
    if (run === undefined) throw new Error("it does not say its run_id");
    this.#run = run;
  }

  async send(command: string, args: readonly string[]): Promise<unknown> {
    if (this.#gone !== null) throw new Error(this.#gone);
    return await this.#inTime(this.#client.send(command, [...args]));
  }

  drop(reason: string): void {
    if (this.#gone !== null) return;
    this.#gone = reason;
    this.#end.resolve(reason);
    this.#client.close();
  }

  #inTime<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.drop(`it did not answer within ${this.#timeoutMs} ms`);
        reject(new Error("Redis did not answer in time"));
      }, this.#timeoutMs);
      answer.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}
