import { GatewayError } from "../../../contract/errors.ts";
import type { Budget } from "../../../types.ts";
import { limitHeaders, takenOf } from "../headers.ts";
import type { Claim, Clock, Lease, Limits, SpentSoFar, Standing, Used } from "../limits.ts";
import { MemoryLimiter } from "../memory.ts";
import { periodOf } from "../period.ts";
import * as refusals from "../refusals.ts";
import { likelyOf } from "../room.ts";
import type { Meanwhile } from "./membership.ts";
import { budgetPeriod, type GrantMessage, type Hold, type SpendMessage } from "./messages.ts";
import { shareOf } from "./mode.ts";

interface Grant {
  readonly k: string;
  readonly id: string;
  readonly at: number;
  t: number;
}

export interface OwnShareOptions {
  readonly gateways: number;
  readonly windowMs: number;
  readonly spent: SpentSoFar;
  readonly clock: Clock;
  /** What is set aside of a key's budget period for this gateway's running calls, in billionths of a dollar. */
  readonly reserved: (keyId: string, period: string) => number;
}

/** What a budget's period was at when this gateway had to go on alone. */
interface Before {
  readonly spentNanoUsd: number;
  readonly reservedNanoUsd: number;
}

/** What this gateway grants by itself while Redis is out of reach, and what there is to tell of it afterwards. */
export class OwnShare {
  readonly #options: OwnShareOptions;
  readonly #memory: MemoryLimiter;
  /** Oldest first; what has left the window is forgotten. */
  #grants: Grant[] = [];
  readonly #spends = new Map<string, SpendMessage>();
  readonly #before = new Map<string, Promise<Before>>();

  constructor(options: OwnShareOptions) {
    this.#options = options;
    const { clock, windowMs } = options;
    this.#memory = new MemoryLimiter({ spent: () => Promise.resolve(0), clock, windowMs });
  }

  /** @throws GatewayError 402 429; 503 for what is too much for its part alone */
  async admit(claim: Claim, id: string): Promise<Lease> {
    const { keyId, limits } = claim;
    const share = this.#shareOf(limits);
    if (share === null || !canFit(claim, share))
      throw refusals.unreachable(Number.POSITIVE_INFINITY);
    const left = share.budget === null ? null : await this.#left(keyId, share.budget);
    const lease = await this.#take({ ...claim, limits: { ...share, budget: left } }, limits);
    const grant = { k: keyId, id, at: this.#options.clock.now(), t: claim.tokens };
    this.#grants.push(grant);
    this.#forgetOld();
    return {
      ...lease,
      headers: this.headers(keyId, limits),
      release: (used) => {
        lease.release(used);
        grant.t = used?.tokens ?? 0;
      },
    };
  }

  /** The limits are the key's own, what is left of them this gateway's. */
  headers(keyId: string, limits: Limits): Readonly<Record<string, string>> {
    return limitHeaders(limits, this.#taken(keyId, limits), this.#options.clock.wall());
  }

  tokensLeft(keyId: string, limits: Limits): number {
    return this.#taken(keyId, limits).tokens.left;
  }

  /** Of this gateway alone. @throws GatewayError 503 while the log can't be read */
  async standing(keyId: string, limits: Limits): Promise<Standing> {
    const { budget } = limits;
    const { units, images } = this.#memory.standingNow(keyId, limits);
    const rest = { ...this.#taken(keyId, limits), units, images };
    if (budget === null) return { ...rest, budget: null };
    const { spentNanoUsd, reservedNanoUsd } = await this.#beforeOf(keyId, budget);
    const own = (await this.#memory.standing(keyId, limits)).budget;
    return {
      ...rest,
      budget: {
        spentNanoUsd: spentNanoUsd + (own?.spentNanoUsd ?? 0),
        reservedNanoUsd: reservedNanoUsd + (own?.reservedNanoUsd ?? 0),
        resetsAt: periodOf(budget.period, this.#options.clock.wall()).end,
      },
    };
  }

  /** Told when one of its requests has ended before Redis was back. */
  spend(keyId: string, hold: Hold | undefined, { costNanoUsd }: Used): void {
    if (hold?.b === undefined || costNanoUsd === 0) return;
    const name = `${hold.b} ${keyId}`;
    const n = (this.#spends.get(name)?.n ?? 0) + costNanoUsd;
    this.#spends.set(name, { k: keyId, b: hold.b, n });
  }

  report(): ReturnType<Meanwhile["report"]> {
    this.#forgetOld();
    const now = this.#options.clock.now();
    const grants = this.#grants.map(
      ({ k, id, at, t }): GrantMessage => ({ k, id, age: now - at, t }),
    );
    return { grants, spends: [...this.#spends.values()] };
  }

  async #take(claim: Claim, { budget }: Limits): Promise<Lease> {
    try {
      return await this.#memory.admit(claim);
    } catch (error) {
      const isMoney = error instanceof GatewayError && error.kind === "insufficient_quota";
      if (!isMoney || budget === null) throw error;
      const { spentNanoUsd } = await this.#beforeOf(claim.keyId, budget);
      // Of the budget there is more, at other gateways.
      if (spentNanoUsd < budget.nanoUsd) throw refusals.unreachable(Number.POSITIVE_INFINITY);
      throw refusals.budgetSpent(claim, budget, 0, 0);
    }
  }

  #shareOf(limits: Limits): Limits | null {
    return shareOf(limits, this.#options.gateways);
  }

  #taken(keyId: string, limits: Limits): Pick<Standing, "requests" | "tokens"> {
    const share = this.#shareOf(limits);
    if (share !== null) return this.#memory.standingNow(keyId, share);
    return { requests: takenOf(0, 0, 0), tokens: takenOf(0, 0, 0) };
  }

  /** What is left of the budget, and this gateway's part of that less what its running calls may cost. */
  async #left(keyId: string, budget: Budget): Promise<Budget> {
    const { spentNanoUsd, reservedNanoUsd } = await this.#beforeOf(keyId, budget);
    const part = Math.floor(Math.max(0, budget.nanoUsd - spentNanoUsd) / this.#options.gateways);
    return { period: budget.period, nanoUsd: Math.max(0, part - reservedNanoUsd) };
  }

  async #beforeOf(keyId: string, budget: Budget): Promise<Before> {
    const wall = this.#options.clock.wall();
    const { b } = budgetPeriod(budget, wall);
    const name = `${keyId} ${b}`;
    let asking = this.#before.get(name);
    if (asking === undefined) {
      // First what runs: what ends while the log is read would be in neither.
      const reservedNanoUsd = this.#options.reserved(keyId, b);
      asking = this.#options
        .spent(keyId, periodOf(budget.period, wall).start)
        .then((spentNanoUsd) => ({ spentNanoUsd, reservedNanoUsd }));
      this.#before.set(name, asking);
      asking.catch(() => this.#before.delete(name));
    }
    try {
      return await asking;
    } catch (error) {
      throw refusals.budgetUnknown(error);
    }
  }

  #forgetOld(): void {
    const oldest = this.#options.clock.now() - this.#options.windowMs;
    const first = this.#grants.findIndex(({ at }) => at > oldest);
    if (first > 256 || first === -1) this.#grants = first === -1 ? [] : this.#grants.slice(first);
  }
}

function canFit(claim: Claim, { tokensPerMinute, concurrency }: Limits): boolean {
  return (
    (tokensPerMinute === 0 || likelyOf(claim).tokens <= tokensPerMinute) &&
    (concurrency === 0 || claim.units <= concurrency)
  );
}
