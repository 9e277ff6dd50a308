import { GatewayError } from "../../contract/errors.ts";
import { isOnList } from "../../lib/name-pattern.ts";
import type { Caller } from "../../types.ts";
import { type Limits, UNLIMITED } from "./limits.ts";

/** What the config says of one kind of caller. */
export interface Plan {
  /** `anonymous`, `admin`, a plan's name, or `none`. */
  readonly name: string;
  readonly limits: Limits;
  /** Patterns of model ids in lower case, `*` for any text; empty is all. */
  readonly models: readonly string[];
  /** The same as the config has them, for people. */
  readonly modelsAsWritten: readonly string[];
  /** The answer's limit for requests that don't say one, where tokens or money are limited. */
  readonly defaultMaxTokens: number;
}

export interface Plans {
  readonly anonymous: Plan;
  readonly admin: Plan;
  readonly named: ReadonlyMap<string, Plan>;
  /** For keys that name none. */
  readonly usual: Plan;
}

/** On its plan is no model: what a key may do whose plan the config does not have, nobody knows. */
const NOTHING: readonly string[] = ["\u0000"];

/** A key's plan that the config does not have; null where all is well. */
export function lostPlan(plans: Plans, { key }: Caller): string | null {
  return key === null || key.plan === null || plans.named.has(key.plan) ? null : key.plan;
}

/**
 * The plan of a caller. A key's own budget takes the place of its plan's. A key of a plan that the
 * config no longer has may use nothing: anything else would let a typo lift its limits.
 */
export function planOf(plans: Plans, { role, key }: Caller): Plan {
  if (role === "anonymous") return plans.anonymous;
  if (key === null) return plans.admin;
  const lost = lostPlan(plans, { role, keyId: key.id, key });
  if (lost !== null) return { ...plans.usual, name: lost, models: NOTHING, modelsAsWritten: [] };
  const plan = key.plan === null ? null : (plans.named.get(key.plan) ?? null);
  const own = plan ?? (role === "admin" ? plans.admin : plans.usual);
  if (key.budget === null) return own;
  return { ...own, limits: { ...own.limits, budget: key.budget } };
}

/** The plan that a caller may use, and be told of. @throws GatewayError 403 for a key of a plan that the config does not have */
export function ownPlan(plans: Plans, caller: Caller): Plan {
  const lost = lostPlan(plans, caller);
  if (lost === null) return planOf(plans, caller);
  throw new GatewayError(
    "model_not_allowed",
    `This key is on the plan '${lost}', which this server's config does not have; its operator must put it back or change the key.`,
  );
}

/** Whether a model is on the plan, by its id or one of its aliases. */
export function isOnPlan(
  { models }: Plan,
  { id, aliases }: { readonly id: string; readonly aliases: readonly string[] },
): boolean {
  if (models.length === 0) return true;
  return isOnList(models, [id, ...aliases]);
}

export interface LimitSettings {
  readonly anonymous: Limits;
  readonly admin: Limits;
  /** A plan's name, or none. */
  readonly defaultPlan: string;
  readonly defaultMaxTokens: number;
}

/** The plans as the config says them. Keys without a plan have no limits where there is no default plan. */
export function plansOf(
  { anonymous, admin, defaultPlan, defaultMaxTokens }: LimitSettings,
  plans: Readonly<Record<string, Limits & { readonly models: readonly string[] }>>,
): Plans {
  const plan = (name: string, limits: Limits, models: readonly string[] = []): Plan => ({
    name,
    limits,
    models: models.map((pattern) => pattern.toLowerCase()),
    modelsAsWritten: models,
    defaultMaxTokens,
  });
  const named = new Map(
    Object.entries(plans).map(([name, all]) => [name, plan(name, all, all.models)] as const),
  );
  return {
    anonymous: plan("anonymous", anonymous),
    admin: plan("admin", admin),
    named,
    usual: named.get(defaultPlan) ?? plan("none", UNLIMITED),
  };
}
