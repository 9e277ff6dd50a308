import { GatewayError } from "../contract/errors.ts";
import type { ModelState, Target } from "../types.ts";

/**
 * The targets that can answer now, best first. Pure: what is known of each target comes in.
 * @throws GatewayError 503 when none can, with the reasons
 */
export function choose(
  targets: readonly Target[],
  stateOf: (target: Target) => ModelState,
): readonly Target[] {
  const usable = targets.filter((target) => stateOf(target).state !== "unavailable");
  if (usable.length > 0) return usable;
  const reasons = targets.map((target) => {
    const detail = stateOf(target).detail;
    return detail === null ? target.provider : `${target.provider}: ${detail}`;
  });
  throw new GatewayError(
    "unavailable",
    `Nothing can answer for '${targets[0]?.model.id ?? "this model"}' now (${reasons.join("; ")}).`,
    { retryAfter: 5 },
  );
}
