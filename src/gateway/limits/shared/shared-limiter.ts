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
import { likelyOf } from "../room.ts";
import type { Answered } from "./batches.ts";
import type { Held } from "./held.ts";
import { LastTold } from "./last-told.ts";
import { Membership, type MembershipOptions } from "./membership.ts";
import { claimMessage, type Hold, holdOf, settledMessage } from "./messages.ts";
import { OwnShare } from "./own-share.ts";
import { refusalOf } from "./refusal.ts";
import { SharedView } from "./shared-view.ts";
import { Unlimited } from "./unlimited.ts";

export interface SharedOptions extends MembershipOptions {
  readonly spent: SpentSoFar;
  readonly clock?: Clock;
}

const NOTHING: Used = { tokens: 0, costNanoUsd: 0 };

/**
 * Limits in a Redis that gateways share. One call of a script admits all requests of a tick. Without
 * Redis the gateway waits until its own share is certain to be its own, and then spends that.
 */
export class SharedLimiter implements Limiter {
  readonly #options: SharedOptions;
  readonly #clock: Clock;
  readonly #membership: Membership;
  readonly #told: LastTold;
  readonly #unlimited = new Unlimited();
  readonly #view: SharedView;
  readonly #ids = `${crypto.randomUUID().slice(0, 13)}-`;
  #id = 0;
  #share: OwnShare | null = null;
  #draining = false;

  constructor(options: SharedOptions) {
    this.#options = options;
    this.#clock = options.clock ?? CLOCK;
    this.#told = new LastTold(this.#clock);
    this.#membership = new Membership(options, this.#clock, {
      report: () => this.#share?.report() ?? {},
      told: () => {
        this.#share = null;
      },
    });
    this.#view = new SharedView({
      membership: this.#membership,
      told: this.#told,
      unlimited: this.#unlimited,
      share: () => this.#ownShare(),
      gateways: options.gateways,
      spent: options.spent,
      clock: this.#clock,
    });
  }

  admit(claim: Claim): Lease | Promise<Lease> {
    if (this.#draining) throw refusals.draining();
    const { keyId, limits, units } = claim;
    if (isUnlimited(claim)) return this.#unlimitedLease(keyId, units);
    if (limits.concurrency > 0 && units > limits.concurrency) throw refusals.unitsNeverFit(claim);
    if (limits.tokensPerMinute > 0 && likelyOf(claim).tokens > limits.tokensPerMinute)
      throw refusals.neverFits(claim);
    const fullForMs =
      this.#membership.session === null ? 0 : this.#told.fullFor(claim.keyId, limits);
    if (fullForMs > 0) throw refusals.tooManyRequests(claim, fullForMs);
    return this.#admit(claim);
  }

  headers(keyId: string, limits: Limits): Readonly<Record<string, string>> {
    return this.#view.headers(keyId, limits);
  }

  tokensLeft(keyId: string, limits: Limits): number | null {
    return limits.tokensPerMinute === 0 ? null : this.#view.tokensLeft(keyId, limits);
  }

  standing(keyId: string, limits: Limits): Promise<Standing> {
    return this.#view.standing(keyId, limits);
  }

  state(): LimiterState {
    return this.#view.state();
  }

  drain(): void {
    this.#draining = true;
  }

  async close(): Promise<void> {
    this.#draining = true;
    await this.#membership.close();
  }

  async #admit(claim: Claim): Promise<Lease> {
    const membership = this.#membership;
    await membership.reached();
    if (membership.session !== null) return await this.#ask(claim, null);
    const { mode, waitMs } = membership.mode();
    if (mode !== "share" || membership.joining) throw refusals.unreachable(waitMs);
    const id = this.#nextId();
    const local = await this.#ownShare().admit(claim, id);
    // Redis is back, or being told what was granted: this one was not part of that.
    if (membership.session !== null || membership.joining) {
      local.release();
      return await this.#admit(claim);
    }
    const wall = this.#clock.wall();
    const held = heldFor(id, claim, holdOf(claim, wall), wall, local);
    membership.held.add(held);
    return membership.held.leaseOf(held, local.headers, this.#release);
  }

  /** @param start what the budget's period begins with, once Redis has asked for it */
  async #ask(claim: Claim, start: number | null): Promise<Lease> {
    const { batches, held: all } = this.#membership;
    const id = this.#nextId();
    const wall = this.#clock.wall();
    const hold = holdOf(claim, wall);
    const message = claimMessage(claim, id, hold);
    let told: Answered;
    try {
      told = await batches.claim(start === null ? message : { ...message, start });
    } catch {
      // It may have been granted all the same, or may be yet.
      batches.settle({ ...settledMessage(claim.keyId, id, NOTHING, hold, wall), void: true });
      throw refusals.unreachable(this.#membership.mode().waitMs);
    }
    const { answer, sentAt } = told;
    this.#told.learn(claim, answer);
    if (answer.no === undefined) {
      const held = heldFor(id, claim, hold, wall, null);
      held.expiresAt = sentAt + this.#options.ttlMs;
      all.add(held);
      return all.leaseOf(held, this.headers(claim.keyId, claim.limits), this.#release);
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
    const { batches, held: all } = this.#membership;
    if (!all.remove(held)) return;
    const { claim, hold, id, local, known, wall } = held;
    const { keyId, limits } = claim;
    local?.release(used);
    if (!known) this.#share?.spend(keyId, hold, used);
    else if (hold !== undefined || limits.tokensPerMinute > 0 || used.costNanoUsd > 0)
      batches.settle(settledMessage(keyId, id, used, hold, wall));
  };

  /** What it costs counts all the same, since its key may get a budget while it runs. */
  #unlimitedLease(keyId: string, units: number): Lease {
    const wall = this.#clock.wall();
    return this.#unlimited.lease(keyId, units, (used) => {
      if (used.costNanoUsd === 0 || this.#membership.session === null) return;
      const message = settledMessage(keyId, this.#nextId(), used, undefined, wall);
      this.#membership.batches.settle(message);
    });
  }

  #ownShare(): OwnShare {
    const { gateways, windowMs, spent } = this.#options;
    const { held } = this.#membership;
    this.#share ??= new OwnShare({
      gateways,
      windowMs,
      spent,
      clock: this.#clock,
      reserved: (keyId, period) => held.reservedOf(keyId, period),
    });
    return this.#share;
  }

  #nextId(): string {
    this.#id += 1;
    return this.#ids + this.#id.toString(36);
  }
}

function isUnlimited({ limits, image, costNanoUsd }: Claim): boolean {
  return (
    limits.requestsPerMinute === 0 &&
    limits.tokensPerMinute === 0 &&
    limits.concurrency === 0 &&
    (limits.imageParallel === 0 || !image) &&
    (limits.budget === null || costNanoUsd === null)
  );
}

/** @param local its lease in this gateway's own share; null for one that Redis gave */
function heldFor(
  id: string,
  claim: Claim,
  hold: Hold | undefined,
  wall: number,
  local: Lease | null,
): Held {
  const expiresAt = Number.POSITIVE_INFINITY;
  return {
    ...{ id, claim, hold, wall, local, expiresAt },
    known: local === null,
    lost: false,
    end: null,
  };
}
