import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RedisConnection } from "../../../lib/redis-link.ts";
import type { Clock } from "../limits.ts";
import { type Message, Reply } from "./messages.ts";

const SCRIPT = readFileSync(join(import.meta.dir, "limits.lua"), "utf8");
const SHA = new Bun.CryptoHasher("sha1").update(SCRIPT).digest("hex");

/** What all gateways of one Redis must agree on. Milliseconds. */
export interface Agreement {
  /** Beginning of the names of all keys. */
  readonly prefix: string;
  /** This gateway, the same after a restart. */
  readonly gateway: string;
  /** How many gateways there are at most. */
  readonly gateways: number;
  readonly windowMs: number;
  /** How long a lease is held without being renewed. */
  readonly ttlMs: number;
  /** After so long without a word a gateway is taken for cut off. */
  readonly quietMs: number;
  /** How long a share is kept for a gateway that is cut off. */
  readonly shareForMs: number;
}

export type Heard = Exclude<Reply, { late: true }> & {
  /** On the clock of this process: Redis did it after that. */
  readonly sentAt: number;
};

/** One connection's talk with the script. */
export class Session {
  readonly #connection: RedisConnection;
  readonly #agreement: Agreement;
  readonly #clock: Clock;
  /** Redis's time in its last answer. */
  #seen = "0";

  constructor(connection: RedisConnection, agreement: Agreement, clock: Clock) {
    this.#connection = connection;
    this.#agreement = agreement;
    this.#clock = clock;
  }

  /** Id of the process of Redis that it talks with. */
  get run(): string {
    return this.#connection.run;
  }

  /** Rejects when it is not known whether it was done; the connection is given up then. */
  async say(message: Message): Promise<Heard> {
    const { prefix, gateway, gateways, windowMs, ttlMs, quietMs, shareForMs } = this.#agreement;
    const sentAt = this.#clock.now();
    const text = JSON.stringify({
      ...message,
      prefix,
      gateway,
      gateways,
      run: this.#connection.run,
      seen: this.#seen,
      window: windowMs,
      ttl: ttlMs,
      quiet: quietMs,
      forget: shareForMs,
    });
    try {
      const reply = Reply.parse(JSON.parse(await this.#evaluate(text)));
      this.#seen = reply.now;
      if (reply.late === true) throw new Error("what was sent came too late to be done");
      return { ...reply, sentAt };
    } catch (error) {
      this.drop(error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  drop(reason: string): void {
    this.#connection.drop(reason);
  }

  async #evaluate(text: string): Promise<string> {
    let answer: unknown;
    try {
      answer = await this.#connection.send("EVALSHA", [SHA, "0", text]);
    } catch (error) {
      if (!(error instanceof Error && error.message.includes("NOSCRIPT"))) throw error;
      answer = await this.#connection.send("EVAL", [SCRIPT, "0", text]);
    }
    if (typeof answer !== "string") throw new TypeError("Redis did not answer in text");
    return answer;
  }
}
