import { GatewayError } from "../../contract/errors.ts";
import type { JsonObject, Model, Operation, OperationInput, Target } from "../../types.ts";
import type { Call } from "../call.ts";
import { type Gateway, stateOf } from "../gateway.ts";
import { mayAsk } from "../permit.ts";
import type { Preferences } from "../preferences.ts";
import type { Started } from "./attempt.ts";
import { choose, type Facts } from "./choose.ts";
import { type Errand, freshRetries, reach } from "./reach.ts";
import { faultOf } from "./retry.ts";

/** A request on its way: what is asked, of which models, and what its caller wants of the choice. */
export interface Request<O extends Operation> {
  readonly operation: O;
  readonly input: OperationInput[O] & JsonObject;
  /** The model that was asked for, and those to fall back to. */
  readonly models: readonly Model[];
  readonly wishes: Preferences;
}

/**
 * Has the request answered: by the targets of its model, and when they can't, by those of the models
 * to fall back to, one after the other. A request that is too long for its model goes to the larger
 * one that the config names. `call.model` and `call.target` are those that answer.
 * @throws GatewayError 400 404 502 503 504: why the last model could not
 */
export async function route<O extends Operation>(
  gateway: Gateway,
  call: Call,
  request: Request<O>,
): Promise<Started> {
  const retries = freshRetries(gateway);
  const { attempts } = gateway.routing.rules;
  const models = [...request.models];
  let failure: GatewayError | null = null;
  for (let index = 0; index < models.length; index++) {
    const model = models[index];
    const late = failure !== null && performance.now() > retries.deadline;
    if (model === undefined || late) break;
    call.model = model.id;
    const { made } = retries;
    const errand: Errand<O> = {
      operation: request.operation,
      input: request.input,
      how: "retry",
      prefill: () => null,
      count: (meter) => call.meter.begin(meter),
      // A model to fall back to has an attempt of its own.
      attempts: attempts + index,
    };
    try {
      const targets = targetsOf(gateway, model, request);
      return await reach(gateway, call, errand, targets, retries);
    } catch (error) {
      if (call.gone !== null || !(error instanceof GatewayError)) throw error;
      // An upscaler's name may stand for several models: what is wrong with the request is told, not got round.
      if (request.operation === "upscale" && error.fault === "request") throw error;
      // That a model to fall back to could not even be asked is not why the call failed.
      if (failure === null || retries.made > made) failure = error;
      const larger = faultOf(error) === "context" ? largerModel(gateway, call, model) : undefined;
      if (larger !== undefined && !models.includes(larger)) models.splice(index + 1, 0, larger);
    }
  }
  throw failure ?? new GatewayError("unavailable", "No model can answer now.", { retryAfter: 5 });
}

/**
 * A model's targets for this request, best first.
 * @throws GatewayError 404, 503
 */
export function targetsOf<O extends Operation>(
  gateway: Gateway,
  model: Model,
  { operation, input, wishes }: Request<O>,
): readonly Target[] {
  const now = performance.now();
  const facts = gateway.models.targets(model).map(
    (target): Facts => ({
      target,
      state: stateOf(gateway, target),
      health: gateway.health.of(target.id, now),
      unsupported: wishes.requireParameters
        ? (gateway.backends.get(target.provider)?.unsupported(target, operation, input) ?? [])
        : [],
      providerNames: gateway.routing.providerNames(target.provider),
    }),
  );
  const turn = gateway.health.turn(model.id);
  return choose(facts, wishes, gateway.routing.strategyOf(model), {
    now,
    random: Math.random,
    turn,
  });
}

/**
 * The model that takes what is too long for this one. Only one that the caller may use: what it asked for
 * is no way round its key's list.
 */
export function largerModel(
  gateway: Gateway,
  { caller }: Pick<Call, "caller">,
  model: Model,
): Model | undefined {
  const name = gateway.routing.contextFallback(model);
  const larger = name === null ? undefined : gateway.models.resolve(name);
  return larger !== undefined && mayAsk(gateway.plans, caller, larger) ? larger : undefined;
}
