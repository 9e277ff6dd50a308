import type { Budget } from "../../../types.ts";
import type { Claim, Clock, Lease, SpentSoFar, Used } from "../limits.ts";
import { MemoryLimiter } from "../memory.ts";
import { periodOf } from "../period.ts";
import * as refusals from "../refusals.ts";
import { budgetPeriod, type GrantMessage, type SpendMessage } from "./messages.ts";
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
}

/** What this gateway grants by itself while Redis is out of reach, and what there is to tell of it afterwards. */
export class OwnShare {
  readonly #options: OwnShareOptions;
  readonly #memory: MemoryLimiter;
  /** Oldest first; what has left the window is forgotten. */
  #grants: Grant[] = [];
  readonly #spends: SpendMessage[] = [];
  readonly #before = new Map<string, Promise<number>>();

  constructor(options: OwnShareOptions) {
    this.#options = options;
    const { clock, windowMs } = options;
    this.#memory = new MemoryLimiter({ spent: () => Promise.resolve(0), clock, windowMs });
  }

  /** @throws GatewayError 402 429 503 */
  async admit(claim: Claim, id: string): Promise<Lease> {
    const limits = shareOf(claim.limits, this.#options.gateways);
    if (limits === null) throw refusals.unreachable(Number.POSITIVE_INFINITY);
    const budget = limits.budget === null ? null : await this.#left(claim.keyId, limits.budget);
    const lease = await this.#memory.admit({ ...claim, limits: { ...limits, budget } });
    const grant = { k: claim.keyId, id, at: this.#options.clock.now(), t: claim.tokens };
    this.#grants.push(grant);
    this.#forgetOld();
    return {
      ...lease,
      release: (used) => {
        lease.release(used);
        grant.t = used?.tokens ?? 0;
      },
    };
  }

  /** Told when one of its requests has ended before Redis was back. */
  spend({ keyId, limits, costNanoUsd }: Claim, used: Used): void {
    if (limits.budget === null || costNanoUsd === null || used.costNanoUsd === 0) return;
    const { b } = budgetPeriod(limits.budget, this.#options.clock.wall());
    this.#spends.push({ k: keyId, b, n: used.costNanoUsd });
  }

  report(): { readonly grants: readonly GrantMessage[]; readonly spends: readonly SpendMessage[] } {
    this.#forgetOld();
    const now = this.#options.clock.now();
    const grants = this.#grants.map(({ k, id, at, t }) => ({ k, id, age: now - at, t }));
    return { grants, spends: this.#spends };
  }

  /** What is left of the budget by the call log, and this gateway's part of that. */
  async #left(keyId: string, budget: Budget): Promise<Budget> {
    const { start } = periodOf(budget.period, this.#options.clock.wall());
    const name = `${keyId} ${budget.period} ${start}`;
    let asking = this.#before.get(name);
    if (asking === undefined) {
      asking = this.#options.spent(keyId, start);
      this.#before.set(name, asking);
      asking.catch(() => this.#before.delete(name));
    }
    try {
      const left = Math.max(0, budget.nanoUsd - (await asking));
      return { period: budget.period, nanoUsd: Math.floor(left / this.#options.gateways) };
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
