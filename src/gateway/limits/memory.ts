import { type Grant, SlidingWindow } from "../../lib/sliding-window.ts";
import type { Budget } from "../../types.ts";
import { BudgetBook, type Page } from "./budget-book.ts";
import { limitHeaders, takenOf } from "./headers.ts";
import {
  CLOCK,
  type Claim,
  type Clock,
  type Lease,
  type Limiter,
  type LimiterState,
  type Limits,
  MINUTE,
  type SpentSoFar,
  type Standing,
  type Taken,
  type Used,
} from "./limits.ts";
import * as refusals from "./refusals.ts";
import { likelyOf, roomFor } from "./room.ts";

/** What one key has taken. */
interface Account {
  readonly requests: SlidingWindow;
  readonly tokens: SlidingWindow;
  /** Less than its most was set aside of the minute's tokens for a running call. */
  isShort: boolean;
  units: number;
  images: number;
}

export interface MemoryOptions {
  readonly spent: SpentSoFar;
  readonly clock?: Clock;
  readonly windowMs?: number;
}

const NOTHING: Used = { tokens: 0, costNanoUsd: 0 };

/** Limits in this process's memory: exact sliding minutes, running units, budgets. Answers at once but where a budget must be read first. */
export class MemoryLimiter implements Limiter {
  readonly #clock: Clock;
  readonly #windowMs: number;
  readonly #budgets: BudgetBook;
  readonly #accounts = new Map<string, Account>();
  #leases = 0;
  #draining = false;

  constructor({ spent, clock = CLOCK, windowMs = MINUTE }: MemoryOptions) {
    this.#clock = clock;
    this.#windowMs = windowMs;
    this.#budgets = new BudgetBook(spent);
  }

  admit(claim: Claim): Lease | Promise<Lease> {
    if (this.#draining) throw refusals.draining();
    const { budget } = claim.limits;
    if (budget === null || claim.costNanoUsd === null) return this.#take(claim, null);
    const page = this.#budgets.page(claim.keyId, budget, this.#clock.wall());
    return page === null ? this.#takeLater(claim, budget) : this.#take(claim, page);
  }

  headers(keyId: string, limits: Limits): Readonly<Record<string, string>> {
    return this.#headers(this.#account(keyId), limits, this.#clock.now());
  }

  tokensLeft(keyId: string, { tokensPerMinute }: Limits): number | null {
    if (tokensPerMinute === 0) return null;
    return taken(this.#account(keyId).tokens, tokensPerMinute, this.#clock.now()).left;
  }

  async standing(keyId: string, limits: Limits): Promise<Standing> {
    const page = limits.budget === null ? null : await this.#page(keyId, limits.budget);
    return {
      ...this.standingNow(keyId, limits),
      budget:
        page === null
          ? null
          : {
              spentNanoUsd: page.spentNanoUsd,
              reservedNanoUsd: page.reservedNanoUsd,
              resetsAt: page.period.end,
            },
    };
  }

  /** All of it that no log must be asked for. */
  standingNow(keyId: string, limits: Limits): Omit<Standing, "budget"> {
    const now = this.#clock.now();
    const { requests, tokens, units, images } = this.#account(keyId);
    return {
      requests: taken(requests, limits.requestsPerMinute, now),
      tokens: taken(tokens, limits.tokensPerMinute, now),
      units,
      images,
    };
  }

  state(): LimiterState {
    return { mode: "memory", ok: true, detail: null, leases: this.#leases, lost: 0 };
  }

  drain(): void {
    this.#draining = true;
  }

  close(): Promise<void> {
    this.#draining = true;
    return Promise.resolve();
  }

  async #page(keyId: string, budget: Budget): Promise<Page> {
    const wall = this.#clock.wall();
    try {
      return (
        this.#budgets.page(keyId, budget, wall) ?? (await this.#budgets.open(keyId, budget, wall))
      );
    } catch (error) {
      throw refusals.budgetUnknown(error);
    }
  }

  async #takeLater(claim: Claim, budget: Budget): Promise<Lease> {
    const page = await this.#page(claim.keyId, budget);
    if (this.#draining) throw refusals.draining();
    return this.#take(claim, page);
  }

  /** Looks at every limit first, and takes all or nothing. */
  #take(claim: Claim, page: Page | null): Lease {
    const { limits } = claim;
    const account = this.#account(claim.keyId);
    const now = this.#clock.now();
    const money = page === null ? 0 : moneyFor(claim, page);
    refuseAtOnce(claim, account);
    const amount = tokensFor(claim, account, now);
    if (limits.requestsPerMinute > 0) account.requests.take(now, 1);
    const tokens = limits.tokensPerMinute > 0 ? account.tokens.take(now, amount) : null;
    account.units += claim.units;
    if (claim.image) account.images += 1;
    if (page !== null) page.reservedNanoUsd += money;
    this.#leases += 1;
    return this.#lease(claim, account, tokens, page, money, now);
  }

  #lease(
    claim: Claim,
    account: Account,
    tokens: Grant | null,
    page: Page | null,
    money: number,
    now: number,
  ): Lease {
    let held = true;
    const wall = this.#clock.wall();
    const shortOfTokens = tokens !== null && tokens.amount < claim.tokens;
    const shortOfMoney = page !== null && money < (claim.costNanoUsd ?? 0);
    if (shortOfTokens) account.isShort = true;
    if (page !== null && shortOfMoney) page.isShort = true;
    return {
      headers: this.#headers(account, claim.limits, now),
      units: claim.units,
      release: (used = NOTHING) => {
        if (!held) return;
        held = false;
        this.#leases -= 1;
        account.units -= claim.units;
        if (claim.image) account.images -= 1;
        if (tokens !== null) account.tokens.correct(this.#clock.now(), tokens, used.tokens);
        if (shortOfTokens) account.isShort = false;
        this.#budgets.charge(claim.keyId, wall, used.costNanoUsd);
        if (page === null) return;
        page.reservedNanoUsd -= money;
        if (shortOfMoney) page.isShort = false;
      },
      onLost: () => undefined,
    };
  }

  #headers(account: Account, limits: Limits, now: number): Readonly<Record<string, string>> {
    if (limits.requestsPerMinute === 0 && limits.tokensPerMinute === 0) return NO_HEADERS;
    const requests = taken(account.requests, limits.requestsPerMinute, now);
    const tokens = taken(account.tokens, limits.tokensPerMinute, now);
    return limitHeaders(limits, { requests, tokens }, this.#clock.wall());
  }

  #account(keyId: string): Account {
    const known = this.#accounts.get(keyId);
    if (known !== undefined) return known;
    const account: Account = {
      requests: new SlidingWindow(this.#windowMs),
      tokens: new SlidingWindow(this.#windowMs),
      isShort: false,
      units: 0,
      images: 0,
    };
    this.#accounts.set(keyId, account);
    return account;
  }
}

const NO_HEADERS = {};

function taken(window: SlidingWindow, limit: number, now: number): Taken {
  return takenOf(limit, window.used(now), window.resetIn(now));
}

/** What is set aside of the budget. @throws GatewayError 402 */
function moneyFor(claim: Claim, page: Page): number {
  const { budget } = claim.limits;
  const most = claim.costNanoUsd;
  if (budget === null || most === null) return 0;
  const left = budget.nanoUsd - page.spentNanoUsd - page.reservedNanoUsd;
  const likely = likelyOf(claim).costNanoUsd;
  const money = left <= 0 ? null : roomFor(most, likely, left, page.isShort);
  if (money === null) throw refusals.budgetSpent(claim, budget, likely, left);
  return money;
}

function refuseAtOnce(claim: Claim, account: Account): void {
  const { concurrency, imageParallel } = claim.limits;
  if (concurrency > 0) {
    if (claim.units > concurrency) throw refusals.unitsNeverFit(claim);
    if (account.units + claim.units > concurrency) throw refusals.tooManyAtOnce(claim);
  }
  if (claim.image && imageParallel > 0 && account.images >= imageParallel)
    throw refusals.tooManyImages(claim);
}

/**
 * What is set aside of the minute's tokens. Of two waits the longer one is told: after it both limits
 * have room. @throws GatewayError 400, 429
 */
function tokensFor(claim: Claim, account: Account, now: number): number {
  const { requestsPerMinute, tokensPerMinute } = claim.limits;
  const likely = likelyOf(claim).tokens;
  if (tokensPerMinute > 0 && likely > tokensPerMinute) throw refusals.neverFits(claim);
  const free = tokensPerMinute - account.tokens.used(now);
  const amount =
    tokensPerMinute > 0 ? roomFor(claim.tokens, likely, free, account.isShort) : claim.tokens;
  const byTokens = amount === null ? waitForTokens(claim, account, now) : 0;
  const byRequests = requestsPerMinute > 0 ? account.requests.wait(now, 1, requestsPerMinute) : 0;
  if (byRequests > 0 && byRequests >= byTokens) throw refusals.tooManyRequests(claim, byRequests);
  if (amount === null) throw refusals.tooManyTokens(claim, byTokens);
  return amount;
}

/** Where what it likely takes has room, a running call is in its way, and nobody knows when that ends. */
function waitForTokens(claim: Claim, { tokens }: Account, now: number): number {
  const waitMs = tokens.wait(now, likelyOf(claim).tokens, claim.limits.tokensPerMinute);
  return waitMs > 0 ? waitMs : refusals.USUAL_WAIT_S * 1000;
}
