import type { Log } from "../../../lib/log.ts";
import { type RedisConnection, RedisLink } from "../../../lib/redis-link.ts";
import type { Clock } from "../limits.ts";
import { Batches } from "./batches.ts";
import { type Held, HeldLeases } from "./held.ts";
import type { LeaseMessage, Message } from "./messages.ts";
import { type Mode, modeAt } from "./mode.ts";
import { type Agreement, type Heard, Session } from "./session.ts";

export interface MembershipOptions extends Agreement {
  readonly url: string;
  /** Milliseconds for an answer of Redis. */
  readonly timeoutMs: number;
  readonly log?: Pick<Log, "info" | "warn">;
}

/** What was granted without Redis, for when it is back. */
export interface Meanwhile {
  report(): Pick<Message, "grants" | "spends">;
  /** Redis knows all of it. */
  told(): void;
}

/**
 * This gateway as one of those that share a Redis: the connection, what it holds there, and from what it
 * last heard, what it may grant.
 */
export class Membership {
  readonly held = new HeldLeases();
  readonly batches: Batches;
  readonly #options: MembershipOptions;
  readonly #clock: Clock;
  readonly #meanwhile: Meanwhile;
  readonly #link: RedisLink;
  readonly #running: Promise<void>;
  readonly #timer: Timer;
  #session: Session | null = null;
  #fresh = true;
  /** Redis is being told what is held and was granted: nothing may be added to that. */
  #joining = false;
  #member = false;
  #missing = 0;
  #heardAt = Number.NEGATIVE_INFINITY;
  #closedUntil = Number.NEGATIVE_INFINITY;
  #trouble = "not connected yet";
  /** Until then a request waits for the connection, as it may be back at once. */
  #graceUntil: number;
  #connected = Promise.withResolvers<void>();
  #closing = false;

  constructor(options: MembershipOptions, clock: Clock, meanwhile: Meanwhile) {
    const { url, timeoutMs, quietMs } = options;
    this.#options = options;
    this.#clock = clock;
    this.#meanwhile = meanwhile;
    this.#graceUntil = clock.now() + timeoutMs;
    this.batches = new Batches((heard) => this.heard(heard));
    this.#link = new RedisLink({
      url,
      timeoutMs,
      pauseMs: { least: timeoutMs / 10, most: timeoutMs },
      up: (connection) => this.#join(connection),
      down: (reason) => this.#down(reason),
    });
    this.#running = this.#link.run();
    this.#timer = setInterval(() => this.#beat(), quietMs / 3).unref();
  }

  /** Null while Redis can't be asked. */
  get session(): Session | null {
    return this.#session;
  }

  get joining(): boolean {
    return this.#joining;
  }

  /** Gateways whose shares are taken off the limits, as Redis said last. */
  get missing(): number {
    return this.#missing;
  }

  /** Why Redis can't be asked. */
  get trouble(): string {
    return this.#trouble;
  }

  mode(): Mode {
    const { windowMs, quietMs, shareForMs } = this.#options;
    return modeAt(this.#clock.now(), {
      connected: this.#session !== null,
      heardAt: this.#heardAt,
      closedUntil: this.#closedUntil,
      member: this.#member,
      windowMs,
      quietMs,
      shareForMs,
    });
  }

  /** Resolves when Redis can be asked, or when that is not to be waited for any longer. */
  async reached(): Promise<void> {
    const { timeoutMs } = this.#options;
    const grace = this.#joining ? timeoutMs : this.#graceUntil - this.#clock.now();
    if (this.#session === null && grace > 0)
      await Promise.race([this.#connected.promise, Bun.sleep(grace)]);
  }

  /** Each answer of Redis says this too. */
  heard({ closed, member, missing }: Heard): void {
    const now = this.#clock.now();
    this.#heardAt = now;
    this.#closedUntil = now + closed;
    this.#member = member;
    this.#missing = missing;
  }

  /** Gives the share back, says what has ended, and ends the connection. */
  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#timer);
    const settled = this.batches.takeSettled();
    await this.#session?.say({ op: "leave", settled }).catch(() => undefined);
    this.#link.stop();
    await this.#running;
  }

  async #join(connection: RedisConnection): Promise<void> {
    const session = new Session(connection, this.#options, this.#clock);
    const held = this.held.endingBefore(Number.POSITIVE_INFINITY);
    const unknown = held.filter(({ known }) => !known);
    const settled = this.batches.takeSettled();
    this.#joining = true;
    // Those that end from here on must be settled in Redis.
    for (const each of unknown) each.known = true;
    try {
      const heard = await session.say({
        op: "join",
        fresh: this.#fresh,
        leases: held.map(leaseMessage),
        settled,
        ...this.#meanwhile.report(),
      });
      this.heard(heard);
      this.held.renewed(held, heard.sentAt + this.#options.ttlMs);
    } catch (error) {
      for (const each of unknown) each.known = false;
      this.batches.putBack(settled, session);
      throw error;
    } finally {
      this.#joining = false;
    }
    this.#options.log?.info("limits are shared through Redis");
    this.#fresh = false;
    this.#meanwhile.told();
    this.#session = session;
    this.#trouble = "";
    this.batches.use(session);
    this.#connected.resolve();
  }

  #down(reason: string): void {
    if (reason !== this.#trouble && !this.#closing)
      this.#options.log?.warn("limits can't be shared: Redis can't be reached", { reason });
    this.#trouble = reason;
    if (this.#session === null) return;
    this.#session = null;
    this.#connected = Promise.withResolvers();
    this.#graceUntil = this.#clock.now() + this.#options.timeoutMs;
    this.batches.use(null);
  }

  /** Renews the leases that are getting old, and ends those that can't be renewed any more. */
  #beat(): void {
    const { ttlMs, quietMs } = this.#options;
    const now = this.#clock.now();
    // The next beat may be late by as much as one.
    this.held.endLost(now + (quietMs / 3) * 2);
    const session = this.#session;
    if (session === null) return;
    const due = this.held.endingBefore(now + ttlMs - ttlMs / 6);
    session.say({ op: "beat", leases: due.map(leaseMessage) }).then(
      (heard) => {
        this.heard(heard);
        this.held.renewed(due, heard.sentAt + ttlMs);
      },
      () => undefined,
    );
  }
}

function leaseMessage({ id, claim, hold }: Held): LeaseMessage {
  return { k: claim.keyId, id, h: hold ?? { u: 0, i: 0, n: 0 } };
}
