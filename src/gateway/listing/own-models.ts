import type { ModelItem } from "../../contract/models.ts";
import type { Caller, Model } from "../../types.ts";
import type { Gateway } from "../gateway.ts";
import { planOf } from "../limits/plans.ts";
import { mayAsk } from "../permit.ts";

/** Lists of patterns that are remembered for one set of models. */
const MOST_LISTS = 100;

/** Ids of the models that a list of patterns lets through, for as long as the models are the same. */
const allowed = new WeakMap<readonly Model[], Map<string, ReadonlySet<string>>>();
/** The same item for callers that may not use it; one object, so that searches know it again. */
const barred = new WeakMap<ModelItem, ModelItem>();

/**
 * The items as this caller sees them: the models that its key or its plan does not let it use are
 * marked as not available. The list itself where it may use all.
 */
export function asSeenBy(
  gateway: Gateway,
  caller: Caller,
  items: readonly ModelItem[],
): readonly ModelItem[] {
  const own = ownModels(gateway, caller);
  if (own === null) return items;
  return items.map((item) => (own.has(item.id) ? item : barredItem(item)));
}

/** Null where the caller may use all. */
function ownModels(gateway: Gateway, caller: Caller): ReadonlySet<string> | null {
  const plan = planOf(gateway.plans, caller);
  const keyModels = caller.key?.models ?? null;
  if (keyModels === null && plan.models.length === 0) return null;
  const models = gateway.models.models();
  const lists = allowed.get(models) ?? new Map<string, ReadonlySet<string>>();
  allowed.set(models, lists);
  const name = JSON.stringify([keyModels, plan.models]);
  const known = lists.get(name);
  if (known !== undefined) return known;
  const own = models.filter((model) => mayAsk(gateway.plans, caller, model));
  const ids = new Set(own.map(({ id }) => id));
  if (lists.size >= MOST_LISTS) lists.clear();
  lists.set(name, ids);
  return ids;
}

function barredItem(item: ModelItem): ModelItem {
  const known = barred.get(item);
  if (known !== undefined) return known;
  const made = { ...item, available_on_current_plan: false };
  barred.set(item, made);
  return made;
}
