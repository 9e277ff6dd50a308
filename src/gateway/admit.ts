import { GatewayError } from "../contract/errors.ts";
import type { JsonObject, Model, Operation, OperationInput } from "../types.ts";
import { type Call, endCall } from "./call.ts";
import type { Gateway } from "./gateway.ts";
import { type Claimed, claimOf } from "./limits/claim.ts";
import type { Lease, Limiter } from "./limits/limits.ts";
import { isOnPlan, ownPlan } from "./limits/plans.ts";
import type { ReadRequest } from "./read.ts";
import { largerModel, type Request } from "./routing/route.ts";

/**
 * Takes what the request may use at most of its key's limits, as `call.lease`. Returns it as it may be
 * made: on the models of the caller's plan, with the answer's limit that was admitted.
 * @throws GatewayError 402 403 429 503
 */
export async function admit<O extends Operation>(
  gateway: Gateway,
  call: Call,
  operation: O,
  { input, wishes }: ReadRequest<O>,
  all: readonly [Model, ...Model[]],
): Promise<Request<O>> {
  const plan = ownPlan(gateway.plans, call.caller);
  const [first] = all;
  if (!isOnPlan(plan, first)) throw notOnPlan(first, plan.name);
  const models = all.filter((model) => isOnPlan(plan, model));
  const candidates = withLarger(gateway, call, models).map((model) => ({
    model,
    targets: gateway.models.targets(model),
  }));
  const [{ maxTokens, unsent, most }, lease] = await leased(gateway.limiter, (left) =>
    claimOf(call.caller, plan, operation, input, candidates, left),
  );
  call.most = most;
  call.lease = lease;
  call.lease.onLost(() => endCall(call, leaseLost()));
  for (const name of unsent) call.dropped.add(name);
  return { operation, input: limited<O>(input, maxTokens, unsent), models, wishes };
}

/**
 * Of a request that says no limit of its answer the answer is shortened to what its key's minute has left, where
 * it has no room otherwise. What is left is asked for after the refusal: by then shared limits have told it.
 */
async function leased(
  limiter: Limiter,
  claimed: (tokensLeft?: number) => Claimed,
): Promise<readonly [Claimed, Lease]> {
  const all = claimed();
  const { keyId, limits } = all.claim;
  try {
    return [all, await limiter.admit(all.claim)];
  } catch (error) {
    const isFull = error instanceof GatewayError && error.kind === "rate_limit_exceeded";
    const left = isFull && all.maxTokens !== null ? limiter.tokensLeft(keyId, limits) : null;
    const less = left === null ? all : claimed(left);
    if (less.claim.tokens >= all.claim.tokens) throw error;
    return [less, await limiter.admit(less.claim)];
  }
}

/** These, and those that take what is too long for them, as `route` finds them. */
function withLarger(gateway: Gateway, call: Call, models: readonly Model[]): readonly Model[] {
  const all = new Set(models);
  // A set is gone through to its end, with what is added on the way.
  for (const model of all) {
    const larger = largerModel(gateway, call, model);
    if (larger !== undefined) all.add(larger);
  }
  return [...all];
}

function limited<O extends Operation>(
  input: OperationInput[O] & JsonObject,
  maxTokens: number | null,
  unsent: readonly string[],
): OperationInput[O] & JsonObject {
  if (maxTokens === null && unsent.length === 0) return input;
  const sent = maxTokens === null ? { ...input } : { ...input, max_tokens: maxTokens };
  for (const name of unsent) Reflect.deleteProperty(sent, name);
  return sent;
}

function notOnPlan({ id }: Model, plan: string): GatewayError {
  return new GatewayError("model_not_allowed", `The model '${id}' is not on the plan '${plan}'.`, {
    param: "model",
  });
}

function leaseLost(): GatewayError {
  return new GatewayError(
    "unavailable",
    "This key's place could not be kept: the shared limits can't be reached.",
    { retryAfter: 5 },
  );
}
