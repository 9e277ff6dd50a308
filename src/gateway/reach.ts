import { GatewayError } from "../contract/errors.ts";
import type {
  AttemptRecord,
  JsonObject,
  Meter,
  Operation,
  OperationInput,
  Target,
} from "../types.ts";
import { Attempt, type Started } from "./attempt.ts";
import { type Call, freshMeter } from "./call.ts";
import { type Gateway, stateOf } from "./gateway.ts";
import { pause } from "./pause.ts";
import { afterFailure, faultOf, nextTarget, type Retries } from "./retry.ts";

/** What is asked of one target after the other. */
export interface Errand<O extends Operation> {
  readonly operation: O;
  readonly input: OperationInput[O] & JsonObject;
  /** How attempts after this call's first are recorded. */
  readonly how: AttemptRecord["how"];
  readonly prefill: string | null;
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
  const { maxWaitMs } = gateway.routing.rules;
  let left = targets;
  let failure: GatewayError | null = null;
  while (retries.made < errand.attempts) {
    const now = performance.now();
    left = left.filter((target) => mayBeAsked(gateway, target, now));
    const next = nextTarget(left, retries.tried, now, retries.deadline, maxWaitMs);
    if (next === null) break;
    if (next.waitMs > 0) await pause(call, next.waitMs);
    const { target } = next;
    const release = gateway.slots.take(target.provider, target.concurrencyCost);
    if (release === null) {
      const full = left.every((each) => each.provider === target.provider);
      if (!full && retries.tried.get(target.id) === undefined) {
        // The others first; when they are done with, it may have a place.
        retries.tried.set(target.id, { times: 0, notBefore: now });
        continue;
      }
      failure ??= noPlace(target);
      if (!(await placeFreed(gateway, call, target, retries.deadline, maxWaitMs))) break;
      continue;
    }
    if (call.gone !== null) {
      release();
      throw call.gone;
    }
    const how = call.attempts.length === 0 ? "first" : errand.how;
    const attempt = new Attempt(gateway, call, target, how, release);
    retries.made += 1;
    try {
      errand.count(attempt.meter);
      return await attempt.begin(errand.operation, errand.input, errand.prefill);
    } catch (error) {
      if (call.gone !== null || !(error instanceof GatewayError)) throw error;
      const fault = faultOf(error);
      // What gave the caller nothing is not billed.
      errand.count(freshMeter());
      const before = retries.tried.get(target.id);
      retries.tried.set(target.id, afterFailure(before, error, performance.now(), Math.random()));
      if (fault === "request") throw error;
      // "This target can't" is not the reason when another one failed before.
      if (fault !== "unsupported" || failure === null) failure = error;
      if (fault === "context") left = left.filter((each) => isLarger(each, target));
    }
  }
  throw (
    failure ?? new GatewayError("unavailable", "No target may be asked now.", { retryAfter: 5 })
  );
}

/** Its keys may have come to rest, or its breaker may have opened, since it was chosen. */
function mayBeAsked(gateway: Gateway, target: Target, now: number): boolean {
  return (
    stateOf(gateway, target).state !== "unavailable" &&
    gateway.health.of(target.id, now).breaker !== "open"
  );
}

function isLarger(target: Target, than: Target): boolean {
  return (
    target.contextLength !== null &&
    than.contextLength !== null &&
    target.contextLength > than.contextLength
  );
}

function noPlace({ provider }: Target): GatewayError {
  return new GatewayError(
    "overloaded",
    `'${provider}' is answering as many calls as it may at once.`,
    { retryAfter: 1, fault: "busy" },
  );
}

/** Waits for a place at a provider, as long as the rules let it. */
async function placeFreed(
  gateway: Gateway,
  call: Call,
  target: Target,
  deadline: number,
  maxWaitMs: number,
): Promise<boolean> {
  const ms = Math.min(maxWaitMs, deadline - performance.now());
  if (ms <= 0) return false;
  let freed = false;
  await pause(call, ms, (wake) =>
    gateway.slots.onFree([target.provider], () => {
      freed = true;
      wake();
    }),
  );
  return freed;
}
