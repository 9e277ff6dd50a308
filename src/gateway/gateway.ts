import type { Log } from "../lib/log.ts";
import type { Backend, Ledger, Model, ModelState, Target } from "../types.ts";
import type { Admission } from "./admit.ts";
import type { AuthRules } from "./authenticate.ts";
import type { Call } from "./call.ts";

/** What the gateway needs to know of the models: names and where each can be answered. */
export interface ModelIndex {
  resolve(name: string): Model | undefined;
  /** A known name close to a wrong one. */
  nearest(name: string): string | undefined;
  targets(model: Model): readonly Target[];
  models(): readonly Model[];
}

export interface GatewayOptions {
  /** Milliseconds without a byte in which a stream can still become a plain error. */
  readonly firstByteDelayMs: number;
  /** Forgive nulls on fields that take none. */
  readonly lenient: boolean;
}

/** The gateway's parts, handed in by the composition root. */
export interface Gateway {
  readonly auth: AuthRules;
  readonly models: ModelIndex;
  readonly admission: Admission;
  readonly ledger: Ledger;
  readonly backends: ReadonlyMap<string, Backend>;
  readonly options: GatewayOptions;
  readonly log: Log;
  /** Calls that were admitted and have not ended. */
  readonly running: Set<Call>;
}

const NO_BACKEND: ModelState = { state: "unavailable", detail: "its provider is not configured" };

export function stateOf(gateway: Gateway, target: Target): ModelState {
  return gateway.backends.get(target.provider)?.state(target) ?? NO_BACKEND;
}

/** Whether any target of the model can answer now or on demand. */
export function isServable(gateway: Gateway, model: Model): boolean {
  return gateway.models
    .targets(model)
    .some((target) => stateOf(gateway, target).state !== "unavailable");
}
