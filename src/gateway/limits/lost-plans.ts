import { keyState } from "../../lib/key-state.ts";
import type { Key } from "../../types.ts";

/** What is looked at of a key to find its plan, and to name it where people read. */
export type PlannedKey = Pick<
  Key,
  "id" | "name" | "plan" | "expiresAt" | "disabledAt" | "revokedAt"
>;

const MOST_NAMED = 5;

/** Keys that open, but whose plan the config does not have: each of their calls is refused. */
export function keysOfLostPlans<K extends PlannedKey>(
  plans: ReadonlySet<string>,
  keys: Iterable<K>,
  now: number,
): K[] {
  return [...keys].filter(
    (key) => key.plan !== null && !plans.has(key.plan) && keyState(key, now) === "active",
  );
}

/** One line for operators that names the keys, the first of them; null where no key is lost. */
export function lostPlansNamed(lost: readonly PlannedKey[]): string | null {
  if (lost.length === 0) return null;
  const named = lost.slice(0, MOST_NAMED).map(({ id, name, plan }) => `"${name}" (${id}, ${plan})`);
  const more = lost.length > MOST_NAMED ? ` and ${lost.length - MOST_NAMED} more` : "";
  return `${lostPlansCounted(lost)}: ${named.join(", ")}${more}; put the plan back under [plans], or give the key another with covey keys update`;
}

/** The same for whoever may call: how many, and of which plans, but not whose; null where no key is lost. */
export function lostPlansCounted(lost: readonly PlannedKey[]): string | null {
  if (lost.length === 0) return null;
  const all = [...new Set(lost.map(({ plan }) => plan))].sort();
  const more = all.length > MOST_NAMED ? ` and ${all.length - MOST_NAMED} more` : "";
  const plans = `${all.slice(0, MOST_NAMED).join(", ")}${more}`;
  return lost.length === 1
    ? `1 key is refused, as the config does not have its plan ${plans}`
    : `${lost.length} keys are refused, as the config does not have their plans ${plans}`;
}
