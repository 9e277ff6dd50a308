import { GatewayError } from "../contract/errors.ts";
import { isOnList } from "../lib/name-pattern.ts";
import type { Caller, Model, Operation } from "../types.ts";
import { isOnPlan, type Plans, planOf } from "./limits/plans.ts";

/** Whether its key and its plan both let the caller have this model answer. */
export function mayAsk(plans: Plans, caller: Caller, model: Model): boolean {
  return mayUseModel(caller, model) && isOnPlan(planOf(plans, caller), model);
}

/** @throws GatewayError 403 for an endpoint that is none of the key's */
export function permitEndpoint({ key }: Caller, operation: Operation): void {
  if (key === null || key.endpoints === null || key.endpoints.includes(operation)) return;
  const own = key.endpoints.length === 0 ? "none" : key.endpoints.join(", ");
  throw new GatewayError(
    "endpoint_not_allowed",
    `This key may not use the endpoint '${operation}'. It may use: ${own}.`,
  );
}

/** @param place of the model's name among those that were asked for. @throws GatewayError 403 */
export function permitModel(caller: Caller, model: Model, place: number): void {
  if (mayUseModel(caller, model)) return;
  throw new GatewayError(
    "model_not_allowed",
    `This key may not use the model '${model.id}'. GET /v1/models?available_on_current_plan=1 lists those that it may.`,
    { param: place === 0 ? "model" : "models" },
  );
}

/** By the model's id or one of its aliases. */
function mayUseModel({ key }: Caller, { id, aliases }: Model): boolean {
  if (key === null || key.models === null) return true;
  return isOnList(key.models, [id, ...aliases]);
}
