import type { Readiness } from "../../contract/health.ts";
import type { LedgerHealth, Model } from "../../types.ts";
import { type Gateway, isServable, stateOf } from "../gateway.ts";

/** How a provider's list of models stands. */
export interface ListedModels {
  readonly provider: string;
  /** How many it lists; null where its list is not fetched. */
  readonly models: number | null;
  readonly trouble: string | null;
}

/** How the store of keys stands. */
export interface KeysHealth {
  readonly ok: boolean;
  readonly detail: string | null;
}

/**
 * Ready when calls can be recorded, keys are known and at least one model can answer. Models that are only on some
 * provider's list are counted, not named: there may be tens of thousands.
 */
export function readinessOf(
  gateway: Gateway,
  ledger: LedgerHealth,
  keys: KeysHealth,
  lists: readonly ListedModels[],
  isNamed: (model: Model) => boolean,
): Readiness {
  const all = gateway.models.models();
  const { ok, detail, lagBytes } = ledger;
  const isAnswering = all.some(
    (model) => isServable(gateway, model) && bestState(gateway, model).state !== "crashed",
  );
  return {
    status: ok && keys.ok && isAnswering ? "ok" : "unavailable",
    timestamp: new Date().toISOString(),
    models: all.filter(isNamed).map((model) => ({ id: model.id, ...bestState(gateway, model) })),
    providers: lists.map(({ provider: id, models, trouble }) => ({ id, models, detail: trouble })),
    keys: { ok: keys.ok, detail: keys.detail },
    limits: limitsOf(gateway),
    store: { ok, detail, lag_bytes: lagBytes },
  };
}

function limitsOf({ limiter }: Gateway): Readiness["limits"] {
  const { ok, mode, detail, leases, lost } = limiter.state();
  return { ok, mode, detail, leases, lost_leases: lost };
}

function bestState(gateway: Gateway, model: Model) {
  const states = gateway.models.targets(model).map((target) => stateOf(gateway, target));
  const best =
    states.find(({ state }) => state !== "unavailable" && state !== "crashed") ??
    states.find(({ state }) => state !== "unavailable") ??
    states[0];
  return { state: best?.state ?? ("unavailable" as const), detail: best?.detail ?? null };
}
