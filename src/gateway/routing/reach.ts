import { GatewayError } from "../../contract/errors.ts";
import type {
  AttemptRecord,
  JsonObject,
  Meter,
  Operation,
  OperationInput,
  Target,
} from "../../types.ts";
import { type Call, freshMeter } from "../call.ts";
import type { Gateway } from "../gateway.ts";
import { Attempt, type Started } from "./attempt.ts";
import { mayBeAsked, nextPlace } from "./place.ts";
import { afterFailure, faultOf, moreTelling, type Retries } from "./retry.ts";

/** What is asked of one target after the other. */
export interface Errand<O extends Operation> {
  readonly operation: O;
  readonly input: OperationInput[O] & JsonObject;
  /** How attempts after this call's first are recorded. */
  readonly how: AttemptRecord["how"];
  /** The beginning of the answer that this target is to go on with. */
  readonly prefill: (target: Target) => string | null;
  /** Puts an attempt's meter into the call's. */
  readonly count: (meter: Meter) => void;
  /** Most attempts, those before it included. */
  readonly attempts: number;
}

export function freshRetries(gateway: Gateway): Retries {
  return {
    tried: new Map(),
    made: 0,
    deadline: performance.now() + gateway.routing.rules.budgetMs,
  };
}

/**
 * Asks these targets of one model in turn, within the rules, until one has begun to answer. A target
 * that fails may be asked again after a pause that grows; one that was silent, or can't, is not.
 * @throws GatewayError what the last one said. Its fault says whether another model may do better
 */
export async function reach<O extends Operation>(
  gateway: Gateway,
  call: Call,
  errand: Errand<O>,
  targets: readonly Target[],
  retries: Retries,
): Promise<Started> {
  let left = targets;
  let failure: GatewayError | null = null;
  /** When those that are limited may be asked again. */
  const limited = new Map<string, number>();
  while (retries.made < errand.attempts) {
    const place = await nextPlace(gateway, call, left, retries);
    if (place === "full") failure ??= noPlace(left);
    if (place === null || place === "full") break;
    const { target, release } = place;
    if (call.gone !== null) {
      release();
      throw call.gone;
    }
    // Another call may have become a half-open breaker's probe since.
    if (!mayBeAsked(gateway, target, performance.now())) {
      release();
      continue;
    }
    const how = call.attempts.length === 0 ? "first" : errand.how;
    const attempt = new Attempt(gateway, call, target, how, release);
    retries.made += 1;
    try {
      errand.count(attempt.meter);
      const started = await attempt.begin(errand.operation, errand.input, errand.prefill(target));
      if (call.gone === null || started.kind === "json") return started;
      // Nobody reads it any more.
      started.events.return?.()?.catch(() => undefined);
      throw call.gone;
    } catch (error) {
      if (call.gone !== null || !(error instanceof GatewayError)) throw error;
      const fault = faultOf(error);
      // What gave the caller nothing is not billed.
      errand.count(freshMeter());
      const before = retries.tried.get(target.id);
      const now = performance.now();
      retries.tried.set(target.id, afterFailure(before, error, now, Math.random()));
      if (fault === "request") throw error;
      if (fault === "busy") limited.set(target.id, now + (error.retryAfter ?? 0) * 1000);
      else limited.delete(target.id);
      failure = moreTelling(failure, error);
      if (fault === "context") left = left.filter((each) => isLarger(each, target));
    }
  }
  if (failure !== null) throw withSoonest(failure, [...limited.values()]);
  throw new GatewayError("unavailable", "No target may be asked now.", { retryAfter: 5 });
}

/** Of several that are limited, the one that may be asked again first says when to come back. */
function withSoonest(failure: GatewayError, times: readonly number[]): GatewayError {
  const { kind, message, param, retryAfter } = failure;
  if (retryAfter === undefined || times.length < 2) return failure;
  const soonest = Math.max(0, Math.min(...times) - performance.now()) / 1000;
  return new GatewayError(kind, message, {
    param,
    fault: faultOf(failure),
    retryAfter: soonest,
    cause: failure,
  });
}

function isLarger(target: Target, than: Target): boolean {
  return (
    target.contextLength !== null &&
    than.contextLength !== null &&
    target.contextLength > than.contextLength
  );
}

function noPlace(targets: readonly Target[]): GatewayError {
  const providers = [...new Set(targets.map(({ provider }) => `'${provider}'`))];
  const are =
    providers.length === 1 ? "is answering as many calls as it" : "answer as many as they";
  return new GatewayError("overloaded", `${providers.join(", ")} ${are} may at once.`, {
    retryAfter: 1,
    fault: "busy",
  });
}
