import type { Log } from "../lib/log.ts";
import type { Backend, Ledger, Model, ModelState, Payloads, Target } from "../types.ts";
import type { AuthRules } from "./authenticate.ts";
import type { Call } from "./call.ts";
import type { Limiter } from "./limits/limits.ts";
import type { Plans } from "./limits/plans.ts";
import type { Observer } from "./observer.ts";
import type { Health } from "./routing/health.ts";
import type { Strategy } from "./routing/order.ts";
import type { RetryRules } from "./routing/retry.ts";
import type { Slots } from "./routing/slots.ts";

/** What the gateway needs to know of the models: names and where each can be answered. */
export interface ModelIndex {
  resolve(name: string): Model | undefined;
  /** Ids of the few models that a wrong name likely means. */
  nearest(name: string): readonly string[];
  targets(model: Model): readonly Target[];
  models(): readonly Model[];
}

export interface GatewayOptions {
  /** Milliseconds without a byte in which a stream can still become a plain error. */
  readonly firstByteDelayMs: number;
  /** Forgive nulls on fields that take none. */
  readonly lenient: boolean;
}

/** How calls find their targets. */
export interface Routing {
  readonly rules: RetryRules;
  /** Whether an answer that breaks off is gone on with elsewhere. */
  readonly resume: boolean;
  strategyOf(model: Model): Strategy;
  /** The model for requests that are too long for this one, by any of its names; null where there is none. */
  contextFallback(model: Model): string | null;
  /** Names a provider goes by in a caller's preferences, in lower case: its id, its display name. */
  providerNames(provider: string): readonly string[];
}

/** The gateway's parts, handed in by the composition root. */
export interface Gateway {
  readonly auth: AuthRules;
  readonly models: ModelIndex;
  readonly plans: Plans;
  readonly limiter: Limiter;
  readonly routing: Routing;
  readonly health: Health;
  readonly slots: Slots;
  readonly ledger: Ledger;
  /** Absent where no payload is ever kept. */
  readonly payloads?: Payloads;
  readonly backends: ReadonlyMap<string, Backend>;
  readonly options: GatewayOptions;
  readonly log: Log;
  /** Told of calls and attempts as they end. */
  readonly observer?: Observer;
  /** Calls that were admitted and have not ended. */
  readonly running: Set<Call>;
}

/** The provider that the embedded engines are. */
export const LOCAL = "local";

const NO_BACKEND: ModelState = { state: "unavailable", detail: "its provider is not configured" };

export function stateOf(gateway: Gateway, target: Target): ModelState {
  return gateway.backends.get(target.provider)?.state(target) ?? NO_BACKEND;
}

/** Whether it may answer, now or when it works again: it is here, and fits. */
export function mayAnswer({ state }: ModelState): boolean {
  return state !== "unavailable" && state !== "too_big";
}

/** Whether any target of the model can answer now, on demand, or after a pause whose end is known. */
export function isServable(gateway: Gateway, model: Model): boolean {
  return gateway.models.targets(model).some((target) => {
    const state = stateOf(gateway, target);
    return mayAnswer(state) || state.until !== undefined;
  });
}
