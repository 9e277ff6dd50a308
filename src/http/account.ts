import { ACCOUNT, type AccountConcurrency, type AccountPlan } from "../contract/account.ts";
import { authenticate } from "../gateway/authenticate.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { ownPlan } from "../gateway/limits/plans.ts";

const NANO = 1e9;

/** @throws GatewayError 401; 403 for a key whose plan is lost; 503 while the shared limits can't be read */
export function mountAccount(
  get: (path: string, handler: (request: Request) => Promise<Response>) => void,
  gateway: Gateway,
): void {
  for (const path of [ACCOUNT.concurrency.path, ...ACCOUNT.concurrency.aliases])
    get(path, async (request) => Response.json(await concurrency(gateway, request)));
  get(ACCOUNT.plan.path, async (request) => Response.json(await plan(gateway, request)));
}

async function concurrency(gateway: Gateway, request: Request): Promise<AccountConcurrency> {
  const caller = authenticate(request.headers, gateway.auth);
  const { limits } = ownPlan(gateway.plans, caller);
  const { units } = await gateway.limiter.standing(caller.keyId, limits);
  const now = Date.now();
  const running = [...gateway.running].filter((call) => call.caller.keyId === caller.keyId);
  // Anonymous callers are not told apart, and a call's id opens it in the log: none gets another's.
  const own = caller.role === "anonymous" ? [] : running;
  const requests = own.map((call) => ({
    id: call.id,
    model: call.model ?? "",
    cost: call.lease?.units ?? 0,
    started_at: new Date(call.at).toISOString(),
    duration_ms: Math.max(0, now - call.at),
  }));
  return {
    limit: orNull(limits.concurrency),
    used_cost: units,
    request_count: running.length,
    requests,
  };
}

async function plan(gateway: Gateway, request: Request): Promise<AccountPlan> {
  const caller = authenticate(request.headers, gateway.auth);
  const { name, limits, models, modelsAsWritten } = ownPlan(gateway.plans, caller);
  const { requests, tokens, units, images, budget } = await gateway.limiter.standing(
    caller.keyId,
    limits,
  );
  return {
    object: "plan",
    name,
    models: models.length === 0 ? null : [...modelsAsWritten],
    requests_per_minute: minute(limits.requestsPerMinute, requests.left),
    tokens_per_minute: minute(limits.tokensPerMinute, tokens.left),
    concurrency: { limit: orNull(limits.concurrency), used: units },
    image_parallel: { limit: orNull(limits.imageParallel), used: images },
    budget:
      limits.budget === null || budget === null
        ? null
        : {
            period: limits.budget.period,
            limit_usd: limits.budget.nanoUsd / NANO,
            spent_usd: budget.spentNanoUsd / NANO,
            reserved_usd: budget.reservedNanoUsd / NANO,
            resets_at: new Date(budget.resetsAt).toISOString(),
          },
  };
}

function minute(limit: number, left: number) {
  return { limit: orNull(limit), remaining: limit === 0 ? null : left };
}

/** 0 is no limit. */
function orNull(limit: number): number | null {
  return limit === 0 ? null : limit;
}
