import type { ErrorName, GatewayError } from "../contract/errors.ts";
import type { SettleRecord } from "../types.ts";
import type { Call } from "./call.ts";
import { endCapture } from "./capture.ts";
import { chargeNanoUsd, nanoUsd, type Used, usedBy } from "./cost.ts";
import type { Gateway } from "./gateway.ts";

export interface Outcome {
  readonly status: SettleRecord["status"];
  readonly httpStatus: number;
  readonly error: ErrorName | null;
}

/**
 * How an admitted call ended that could not be answered: refused, where nobody was asked and the request is
 * why, as of those that are refused before.
 */
export function failureOf({ attempts }: Pick<Call, "attempts">, error: GatewayError): Outcome {
  const refused = attempts.length === 0 && error.status === 400;
  const status = refused ? "refused" : "failed";
  return { status, httpStatus: error.status, error: error.kind };
}

/**
 * Ends an admitted call: gives its lease back and writes what it used. The first outcome counts;
 * later ones get the promise of the first.
 */
export function account(gateway: Gateway, call: Call, outcome: Outcome): Promise<void> {
  if (call.settled !== null) return call.settled;
  const used = usedBy(outcome.status, call.meter, call.most);
  const costNanoUsd = chargeOf(call, outcome, used);
  call.lease?.release({
    tokens: used.promptTokens + used.completionTokens,
    costNanoUsd: costNanoUsd ?? 0,
  });
  gateway.running.delete(call);
  call.attempt?.end(call.gone ?? new Error("the call has ended"));
  endCapture(gateway, call);
  const { meter } = call;
  const record: SettleRecord = {
    id: call.id,
    at: Date.now(),
    status: outcome.status,
    httpStatus: outcome.httpStatus,
    error: outcome.error,
    model: call.model,
    provider: outcome.status === "refused" ? null : (call.target?.provider ?? null),
    finishReason: call.finishReason,
    promptTokens: used.promptTokens,
    completionTokens: used.completionTokens,
    cachedTokens: used.cachedTokens,
    images: meter.images + meter.imagesRead,
    pixels: meter.pixels,
    usageSource: meter.source,
    queueMs: sinceArrival(call, meter.startedAt),
    firstTokenMs: sinceArrival(call, meter.firstTokenAt),
    totalMs: round(performance.now() - call.startedAt),
    droppedParams: [...call.dropped],
    costNanoUsd,
    providerCostNanoUsd: nanoUsd(meter.providerCost),
    attempts: call.attempts,
  };
  call.settled = gateway.ledger.settle(record);
  gateway.observer?.settled(call, record);
  return call.settled;
}

function chargeOf({ target, meter }: Call, { status }: Outcome, used: Used): number | null {
  return chargeNanoUsd({
    status,
    price: target?.price ?? null,
    used,
    answered: target !== null && meter.source !== "none",
    reported: meter.providerCost,
    resumed: meter.resumed,
  });
}

function sinceArrival(call: Call, time: number): number | null {
  return time === 0 ? null : round(Math.max(0, time - call.startedAt));
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
