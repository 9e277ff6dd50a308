import type { Log } from "../../../lib/log.ts";
import { type RedisConnection, RedisLink } from "../../../lib/redis-link.ts";
import {
  CLOCK,
  type Claim,
  type Clock,
  type Lease,
  type Limiter,
  type LimiterState,
  type Limits,
  type SpentSoFar,
  type Standing,
  type Used,
} from "../limits.ts";
import { periodOf } from "../period.ts";
import * as refusals from "../refusals.ts";
import { type Answered, Batches } from "./batches.ts";
import { type Held, HeldLeases } from "./held.ts";
import { LastTold } from "./last-told.ts";
import {
  budgetPeriod,
  claimMessage,
  holdOf,
  type SettledMessage,
  standingFrom,
} from "./messages.ts";
import { type Mode, modeAt } from "./mode.ts";
import { OwnShare } from "./own-share.ts";
import { refusalOf } from "./refusal.ts";
import { type Agreement, type Heard, Session } from "./session.ts";

export interface SharedOptions extends Agreement {
  readonly url: string;
  readonly spent: SpentSoFar;
  readonly clock?: Clock;
  /** Milliseconds for an answer of Redis. */
  readonly timeoutMs: number;
  readonly log?: Pick<Log, "info" | "warn">;
}

const NO_HEADERS = {};

/**
 * Limits in a Redis that gateways share. One call of a script admits all requests of a tick. Without
 * Redis the gateway waits until its own share is certain to be its own, and then spends that.
 */
export class SharedLimiter implements Limiter {
  readonly #options: SharedOptions;
  readonly #clock: Clock;
  readonly #link: RedisLink;
  readonly #running: Promise<void>;
  readonly #timer: Timer;
  readonly #held = new HeldLeases();
  readonly #ids = `${crypto.randomUUID().slice(0, 13)}-`;
  #id = 0;
  #session: Session | null = null;
  #share: OwnShare | null = null;
  #fresh = true;
  /** Redis is being told what is held and was granted: nothing may be added to that. */
  #joining = false;
  #member = false;
  #heardAt = Number.NEGATIVE_INFINITY;
  #closedUntil = Number.NEGATIVE_INFINITY;
  #trouble = "not connected yet";
  /** Until then a request waits for the connection, as it may be back at once. */
  #graceUntil: number;
  readonly #batches: Batches;
  readonly #told: LastTold;
  #connected = Promise.withResolvers<void>();
  #unlimited = 0;
  #draining = false;

  constructor(options: SharedOptions) {
    this.#options = options;
    this.#clock = options.clock ?? CLOCK;
    this.#graceUntil = this.#clock.now() + options.timeoutMs;
    this.#batches = new Batches((heard) => this.#heard(heard));
    this.#told = new LastTold(this.#clock);
    this.#link = new RedisLink({
      url: options.url,
      timeoutMs: options.timeoutMs,
      pauseMs: { least: options.timeoutMs / 10, most: options.timeoutMs },
      up: (connection) => this.#join(connection),
      down: (reason) => this.#down(reason),
    });
    this.#running = this.#link.run();
    this.#timer = setInterval(() => this.#beat(), options.quietMs / 3).unref();
  }

  admit(claim: Claim): Lease | Promise<Lease> {
    if (this.#draining) throw refusals.draining();
    const { limits } = claim;
    if (isUnlimited(claim)) return this.#unlimitedLease(claim.units);
    if (limits.concurrency > 0 && claim.units > limits.concurrency)
      throw refusals.unitsNeverFit(claim);
    if (limits.tokensPerMinute > 0 && claim.tokens > limits.tokensPerMinute)
      throw refusals.neverFits(claim);
    const fullForMs = this.#session === null ? 0 : this.#told.fullFor(claim.keyId, limits);
    if (fullForMs > 0) throw refusals.tooManyRequests(limits, fullForMs);
    return this.#admit(claim);
  }

  headers(keyId: string, limits: Limits): Readonly<Record<string, string>> {
    return this.#told.headers(keyId, limits);
  }

  async standing(keyId: string, limits: Limits): Promise<Standing> {
    const wall = this.#clock.wall();
    const period = limits.budget === null ? {} : { b: budgetPeriod(limits.budget, wall).b };
    const session = this.#session;
    if (session === null) throw refusals.unreachable(Number.POSITIVE_INFINITY);
    let heard: Heard;
    try {
      heard = await session.say({ op: "beat", look: { k: keyId, ...period } });
    } catch {
      throw refusals.unreachable(Number.POSITIVE_INFINITY);
    }
    if (heard.look === undefined) throw new TypeError("Redis did not look");
    const standing = standingFrom(heard.look, limits, wall);
    if (limits.budget === null || standing.budget !== null) return standing;
    const { start, end } = periodOf(limits.budget.period, wall);
    const spentNanoUsd = await this.#options.spent(keyId, start);
    return { ...standing, budget: { spentNanoUsd, reservedNanoUsd: 0, resetsAt: end } };
  }

  state(): LimiterState {
    const { mode, waitMs } = this.#mode();
    const inSeconds = Number.isFinite(waitMs) ? ` for ${Math.ceil(waitMs / 1000)} s` : "";
    const detail = {
      memory: null,
      shared: null,
      waiting:
        this.#session === null
          ? `Redis: ${this.#trouble}; limited keys get nothing${inSeconds}`
          : `Redis has lost what was granted; limited keys get nothing${inSeconds}`,
      share: `Redis: ${this.#trouble}; each limit is divided by ${this.#options.gateways}${inSeconds}`,
    }[mode];
    const leases = this.#held.size + this.#unlimited;
    return { mode, ok: mode === "shared", detail, leases, lost: this.#held.lost };
  }

  drain(): void {
    this.#draining = true;
  }

  async close(): Promise<void> {
    this.#draining = true;
    clearInterval(this.#timer);
    const session = this.#session;
    if (session !== null)
      await session
        .say({ op: "leave", settled: this.#batches.takeSettled() })
        .catch(() => undefined);
    this.#link.stop();
    await this.#running;
  }

  #mode(): Mode {
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

  async #admit(claim: Claim): Promise<Lease> {
    const grace = this.#joining ? this.#options.timeoutMs : this.#graceUntil - this.#clock.now();
    if (this.#session === null && grace > 0)
      await Promise.race([this.#connected.promise, Bun.sleep(grace)]);
    if (this.#session !== null) return await this.#ask(claim, null);
    const { mode, waitMs } = this.#mode();
    if (mode !== "share" || this.#joining) throw refusals.unreachable(waitMs);
    const share = this.#ownShare();
    const id = this.#nextId();
    const local = await share.admit(claim, id);
    // Redis is back, or being told what was granted: this one was not part of that.
    if (this.#session !== null || this.#joining) {
      local.release();
      return await this.#admit(claim);
    }
    const hold = holdOf(claim, this.#clock.wall());
    const expiresAt = Number.POSITIVE_INFINITY;
    const held: Held = { id, claim, hold, local, known: false, expiresAt, lost: false, end: null };
    this.#held.add(held);
    return this.#held.leaseOf(held, local.headers, this.#release);
  }

  /** @param start what the budget's period begins with, once Redis has asked for it */
  async #ask(claim: Claim, start: number | null): Promise<Lease> {
    const id = this.#nextId();
    const wall = this.#clock.wall();
    const hold = holdOf(claim, wall);
    const message = claimMessage(claim, id, hold);
    let told: Answered;
    try {
      told = await this.#batches.claim(start === null ? message : { ...message, start });
    } catch {
      // It may have been granted all the same.
      this.#batches.settle(settledMessage(claim.keyId, id, NOTHING, hold));
      throw refusals.unreachable(this.#mode().waitMs);
    }
    const { answer, sentAt } = told;
    this.#told.learn(claim, answer);
    if (answer.no === undefined) {
      const expiresAt = sentAt + this.#options.ttlMs;
      const held: Held = {
        id,
        claim,
        hold,
        local: null,
        known: true,
        expiresAt,
        lost: false,
        end: null,
      };
      this.#held.add(held);
      return this.#held.leaseOf(held, this.headers(claim.keyId, claim.limits), this.#release);
    }
    if (answer.no === "unread" && start === null)
      return await this.#ask(claim, await this.#spent(claim, wall));
    throw refusalOf(claim, answer);
  }

  async #spent({ keyId, limits: { budget } }: Claim, wall: number): Promise<number> {
    if (budget === null) return 0;
    try {
      return await this.#options.spent(keyId, periodOf(budget.period, wall).start);
    } catch (error) {
      throw refusals.budgetUnknown(error);
    }
  }

  readonly #release = (held: Held, used: Used): void => {
    if (!this.#held.remove(held)) return;
    const { claim, hold, id, local, known } = held;
    local?.release(used);
    if (!known) this.#share?.spend(claim, used);
    else if (hold !== undefined || claim.limits.tokensPerMinute > 0) {
      this.#batches.settle(settledMessage(claim.keyId, id, used, hold));
    }
  };

  async #join(connection: RedisConnection): Promise<void> {
    const session = new Session(connection, this.#options, this.#clock);
    const held = this.#held.endingBefore(Number.POSITIVE_INFINITY);
    const unknown = held.filter(({ known }) => !known);
    const settled = this.#batches.takeSettled();
    this.#joining = true;
    // Those that end from here on must be settled in Redis.
    for (const each of unknown) each.known = true;
    try {
      const heard = await session.say({
        op: "join",
        fresh: this.#fresh,
        leases: held.map(leaseMessage),
        settled,
        ...this.#share?.report(),
      });
      this.#heard(heard);
      this.#held.renewed(held, heard.sentAt + this.#options.ttlMs);
    } catch (error) {
      for (const each of unknown) each.known = false;
      this.#batches.putBack(settled);
      throw error;
    } finally {
      this.#joining = false;
    }
    this.#options.log?.info("limits are shared through Redis");
    this.#fresh = false;
    this.#share = null;
    this.#session = session;
    this.#trouble = "";
    this.#batches.use(session);
    this.#connected.resolve();
  }

  #down(reason: string): void {
    if (reason !== this.#trouble && !this.#draining)
      this.#options.log?.warn("limits can't be shared: Redis can't be reached", { reason });
    this.#trouble = reason;
    if (this.#session === null) return;
    this.#session = null;
    this.#connected = Promise.withResolvers();
    this.#graceUntil = this.#clock.now() + this.#options.timeoutMs;
    this.#batches.use(null);
  }

  #heard({ closed, member }: Heard): void {
    const now = this.#clock.now();
    this.#heardAt = now;
    this.#closedUntil = now + closed;
    this.#member = member;
  }

  #ownShare(): OwnShare {
    const { gateways, windowMs, spent } = this.#options;
    this.#share ??= new OwnShare({ gateways, windowMs, spent, clock: this.#clock });
    return this.#share;
  }

  /** Renews the leases that are getting old, and ends those that can't be renewed any more. */
  #beat(): void {
    const { ttlMs, quietMs } = this.#options;
    const now = this.#clock.now();
    // The next beat may be late by as much as one.
    this.#held.endLost(now + (quietMs / 3) * 2);
    const session = this.#session;
    if (session === null) return;
    const due = this.#held.endingBefore(now + ttlMs - ttlMs / 6);
    session.say({ op: "beat", leases: due.map(leaseMessage) }).then(
      (heard) => {
        this.#heard(heard);
        this.#held.renewed(due, heard.sentAt + ttlMs);
      },
      () => undefined,
    );
  }

  #unlimitedLease(units: number): Lease {
    this.#unlimited += 1;
    let held = true;
    return {
      headers: NO_HEADERS,
      units,
      release: () => {
        if (held) this.#unlimited -= 1;
        held = false;
      },
      onLost: () => undefined,
    };
  }

  #nextId(): string {
    this.#id += 1;
    return this.#ids + this.#id.toString(36);
  }
}

const NOTHING: Used = { tokens: 0, costNanoUsd: 0 };

function isUnlimited({ limits, image, costNanoUsd }: Claim): boolean {
  return (
    limits.requestsPerMinute === 0 &&
    limits.tokensPerMinute === 0 &&
    limits.concurrency === 0 &&
    (limits.imageParallel === 0 || !image) &&
    (limits.budget === null || costNanoUsd === null)
  );
}

function leaseMessage({ id, claim, hold }: Held) {
  return { k: claim.keyId, id, h: hold ?? { u: 0, i: 0, n: 0 } };
}

function settledMessage(keyId: string, id: string, used: Used, hold: Held["hold"]): SettledMessage {
  const message = { k: keyId, id, t: used.tokens, n: used.costNanoUsd };
  return hold === undefined ? message : { ...message, h: hold };
}
