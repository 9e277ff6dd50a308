import { limitHeaders, takenOf } from "../headers.ts";
import type { Clock, LimiterState, Limits, SpentSoFar, Standing } from "../limits.ts";
import { periodOf } from "../period.ts";
import * as refusals from "../refusals.ts";
import type { LastTold } from "./last-told.ts";
import type { Membership } from "./membership.ts";
import { budgetPeriod, standingFrom } from "./messages.ts";
import { reducedBy } from "./mode.ts";
import type { OwnShare } from "./own-share.ts";
import type { Heard } from "./session.ts";
import type { Unlimited } from "./unlimited.ts";

export interface ViewParts {
  readonly membership: Membership;
  readonly told: LastTold;
  readonly unlimited: Unlimited;
  readonly share: () => OwnShare;
  readonly gateways: number;
  readonly spent: SpentSoFar;
  readonly clock: Clock;
}

const NO_HEADERS = {};

/** What is told of shared limits: to callers in headers and plans, to operators as a state. It takes nothing. */
export class SharedView {
  readonly #parts: ViewParts;

  constructor(parts: ViewParts) {
    this.#parts = parts;
  }

  headers(keyId: string, limits: Limits): Readonly<Record<string, string>> {
    const { mode, waitMs } = this.#parts.membership.mode();
    if (mode === "share") return this.#parts.share().headers(keyId, limits);
    const { requests, tokens } = this.#parts.told.used(keyId);
    if (mode !== "waiting") {
      const taken = {
        requests: this.#taken(limits.requestsPerMinute, requests),
        tokens: this.#taken(limits.tokensPerMinute, tokens),
      };
      return limitHeaders(limits, taken, this.#parts.clock.wall());
    }
    if (!Number.isFinite(waitMs)) return NO_HEADERS;
    const none = takenOf(0, 0, waitMs);
    return limitHeaders(limits, { requests: none, tokens: none }, this.#parts.clock.wall());
  }

  /** Of the key's minute, as Redis last said; of this gateway's share without it. Null while nothing is admitted. */
  tokensLeft(keyId: string, limits: Limits): number | null {
    const { mode } = this.#parts.membership.mode();
    if (mode === "waiting") return null;
    if (mode === "share") return this.#parts.share().tokensLeft(keyId, limits);
    return this.#taken(limits.tokensPerMinute, this.#parts.told.used(keyId).tokens).left;
  }

  /** @throws GatewayError 503 while nobody can say */
  async standing(keyId: string, limits: Limits): Promise<Standing> {
    const units = this.#parts.unlimited.unitsOf(keyId);
    if (hasNone(limits)) return { ...UNTOUCHED, units };
    const { session, held } = this.#parts.membership;
    if (session === null) {
      const { mode, waitMs } = this.#parts.membership.mode();
      if (mode !== "share") throw refusals.unreachable(waitMs);
      const standing = await this.#parts.share().standing(keyId, limits);
      return { ...standing, units: held.unitsOf(keyId, "all") + units };
    }
    const wall = this.#parts.clock.wall();
    const period = limits.budget === null ? {} : { b: budgetPeriod(limits.budget, wall).b };
    let heard: Heard;
    try {
      heard = await session.say({ op: "beat", look: { k: keyId, ...period } });
    } catch {
      throw refusals.unreachable(Number.POSITIVE_INFINITY);
    }
    this.#parts.membership.heard(heard);
    if (heard.look === undefined) throw new TypeError("Redis did not look");
    const reduced = (limit: number): number => (heard.closed > 0 ? 0 : this.#reduced(limit));
    const told = standingFrom(heard.look, limits, reduced, wall);
    const unheld = held.unitsOf(keyId, "unheld");
    const standing = { ...told, units: told.units + units + unheld };
    if (limits.budget === null || standing.budget !== null) return standing;
    const { start, end } = periodOf(limits.budget.period, wall);
    try {
      const spentNanoUsd = await this.#parts.spent(keyId, start);
      return { ...standing, budget: { spentNanoUsd, reservedNanoUsd: 0, resetsAt: end } };
    } catch (error) {
      throw refusals.budgetUnknown(error);
    }
  }

  state(): LimiterState {
    const { held, session, trouble } = this.#parts.membership;
    const { mode, waitMs } = this.#parts.membership.mode();
    const inSeconds = Number.isFinite(waitMs) ? ` for ${Math.ceil(waitMs / 1000)} s` : "";
    const detail = {
      memory: null,
      shared: null,
      waiting:
        session === null
          ? `Redis: ${trouble}; limited keys get nothing${inSeconds}`
          : `Redis has lost what was granted; limited keys get nothing${inSeconds}`,
      share: `Redis: ${trouble}; each limit is divided by ${this.#parts.gateways}${inSeconds}`,
    }[mode];
    const leases = held.size + this.#parts.unlimited.size;
    return { mode, ok: mode === "shared", detail, leases, lost: held.lost };
  }

  #reduced(limit: number): number {
    return reducedBy(this.#parts.membership.missing, limit, this.#parts.gateways);
  }

  #taken(limit: number, { used, resetIn }: { readonly used: number; readonly resetIn: number }) {
    return takenOf(this.#reduced(limit), used, resetIn);
  }
}

const UNTOUCHED: Standing = {
  requests: takenOf(0, 0, 0),
  tokens: takenOf(0, 0, 0),
  units: 0,
  images: 0,
  budget: null,
};

function hasNone({ budget, ...limits }: Limits): boolean {
  return budget === null && Object.values(limits).every((limit) => limit === 0);
}
