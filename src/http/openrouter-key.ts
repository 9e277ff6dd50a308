import type { Credits, KeyInfo } from "../contract/openrouter.ts";
import { authenticate } from "../gateway/authenticate.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { Limits } from "../gateway/limits/limits.ts";
import { ownPlan } from "../gateway/limits/plans.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const NANO = 1e9;
const RESETS = { day: "daily", month: "monthly" } as const;
/** How long a sum is told again: adding it up reads all rollups. */
const KEPT_MS = 10_000;

/** US dollars that one key's calls cost. */
export interface Spent {
  readonly total: number;
  readonly day: number;
  readonly week: number;
  readonly month: number;
}

/** Beginnings of the spans of `Spent`, in Unix milliseconds / 60000. */
export interface Since {
  readonly day: number;
  readonly week: number;
  readonly month: number;
}

/** What keys have spent, as the call log has it, at most `KEPT_MS` old. */
export class Spending {
  readonly #sum: (keyId: string, since: Since) => Promise<Spent>;
  readonly #kept = new Map<string, { readonly until: number; readonly spent: Promise<Spent> }>();

  constructor(sum: (keyId: string, since: Since) => Promise<Spent>) {
    this.#sum = sum;
  }

  /** @param now Unix milliseconds */
  of(keyId: string, now: number): Promise<Spent> {
    const kept = this.#kept.get(keyId);
    if (kept !== undefined && now < kept.until) return kept.spent;
    const spent = this.#sum(keyId, spansAt(now));
    this.#kept.set(keyId, { until: now + KEPT_MS, spent });
    spent.catch(() => this.#kept.delete(keyId));
    return spent;
  }
}

/** The day, the week from Monday and the month, all in UTC, that hold this moment. */
export function spansAt(now: number): Since {
  const date = new Date(now);
  const day = Math.floor(now / DAY) * DAY;
  const sinceMonday = (date.getUTCDay() + 6) % 7;
  const month = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  return { day: day / MINUTE, week: (day - sinceMonday * DAY) / MINUTE, month: month / MINUTE };
}

/** `GET /key`: the key that asks, and what is left of its budget. @throws GatewayError 401, 403, 503 */
export async function getKey(
  gateway: Gateway,
  spending: Spending,
  request: Request,
): Promise<Response> {
  const caller = authenticate(request.headers, gateway.auth);
  const spent = await spending.of(caller.keyId, Date.now());
  const { limits } = ownPlan(gateway.plans, caller);
  const { requestsPerMinute } = limits;
  const isAdmin = caller.role === "admin";
  const body: KeyInfo = {
    data: {
      label: caller.keyId,
      usage: spent.total,
      usage_daily: spent.day,
      usage_weekly: spent.week,
      usage_monthly: spent.month,
      ...(await budgetOf(gateway, caller.keyId, limits)),
      is_free_tier: caller.role === "anonymous",
      is_management_key: isAdmin,
      is_provisioning_key: isAdmin,
      rate_limit: {
        requests: requestsPerMinute === 0 ? -1 : requestsPerMinute,
        interval: "1m",
        note: "Requests a minute of this key; -1 is no limit.",
      },
      include_byok_in_limit: false,
      byok_usage: 0,
      byok_usage_daily: 0,
      byok_usage_weekly: 0,
      byok_usage_monthly: 0,
      free_model_daily_requests: { limit: 0, remaining: 0, used: 0 },
      allowed_data_regions: [],
      creator_user_id: null,
      organization_id: null,
      workspace_id: null,
      expires_at: null,
    },
  };
  return Response.json(body);
}

async function budgetOf(gateway: Gateway, keyId: string, limits: Limits) {
  if (limits.budget === null) return { limit: null, limit_remaining: null, limit_reset: null };
  const { nanoUsd, period } = limits.budget;
  const { budget } = await gateway.limiter.standing(keyId, limits);
  const taken = budget === null ? 0 : budget.spentNanoUsd + budget.reservedNanoUsd;
  return {
    limit: nanoUsd / NANO,
    limit_remaining: Math.max(0, nanoUsd - taken) / NANO,
    limit_reset: RESETS[period],
  };
}

/** `GET /credits`: nothing is bought here, so there are none; what was used is told. @throws GatewayError 401 */
export async function getCredits(
  gateway: Gateway,
  spending: Spending,
  request: Request,
): Promise<Response> {
  const caller = authenticate(request.headers, gateway.auth);
  const { total } = await spending.of(caller.keyId, Date.now());
  const body: Credits = { data: { total_credits: 0, total_usage: total } };
  return Response.json(body);
}
