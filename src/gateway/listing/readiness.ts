import type { Readiness } from "../../contract/health.ts";
import type { LedgerHealth, Model } from "../../types.ts";
import { type Gateway, isServable, mayAnswer, stateOf } from "../gateway.ts";

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
  /** Keys that are refused for want of their plan, counted. */
  readonly lostPlans: string | null;
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
  const left = gateway.health.left(performance.now());
  const isAnswering = all.some(
    (model) => isServable(gateway, model) && bestState(gateway, model).state !== "crashed",
  );
  return {
    status: ok && keys.ok && isAnswering ? "ok" : "unavailable",
    timestamp: new Date().toISOString(),
    models: all.filter(isNamed).map((model) => ({ id: model.id, ...bestState(gateway, model) })),
    providers: lists.map(({ provider: id, models, trouble }) => ({
      id,
      models,
      detail: detailOf([
        gateway.backends.get(id)?.trouble?.() ?? null,
        leftAlone(left.get(id)),
        trouble,
      ]),
    })),
    keys: { ok: keys.ok, detail: detailOf([keys.detail, keys.lostPlans]) },
    limits: limitsOf(gateway),
    store: { ok, detail, lag_bytes: lagBytes },
  };
}

/** What is wrong, each thing once; null when nothing is. */
function detailOf(troubles: readonly (string | null)[]): string | null {
  const told = [...new Set(troubles.filter((each) => each !== null))];
  return told.length === 0 ? null : told.join("; ");
}

function leftAlone(counts: { failed: number; resting: number } | undefined): string | null {
  if (counts === undefined) return null;
  const { failed, resting } = counts;
  return detailOf([
    failed === 0 ? null : `${failed} of its models failed several times in a row`,
    resting === 0 ? null : `it asked for a pause for ${resting} of its models`,
  ]);
}

function limitsOf({ limiter }: Gateway): Readiness["limits"] {
  const { ok, mode, detail, leases, lost } = limiter.state();
  return { ok, mode, detail, leases, lost_leases: lost };
}

function bestState(gateway: Gateway, model: Model) {
  const states = gateway.models.targets(model).map((target) => stateOf(gateway, target));
  const best =
    states.find((each) => mayAnswer(each) && each.state !== "crashed") ??
    states.find(mayAnswer) ??
    states.find(({ state }) => state === "too_big") ??
    states[0];
  return { state: best?.state ?? ("unavailable" as const), detail: best?.detail ?? null };
}
