import type { ErrorName } from "../contract/errors.ts";
import type { SettleRecord } from "../types.ts";
import type { Call } from "./call.ts";
import { costNanoUsd } from "./cost.ts";
import type { Gateway } from "./gateway.ts";

export interface Outcome {
  readonly status: SettleRecord["status"];
  readonly httpStatus: number;
  readonly error: ErrorName | null;
}

/**
 * Ends an admitted call: gives its lease back and writes what it used. The first outcome counts;
 * later ones get the promise of the first.
 */
export function account(gateway: Gateway, call: Call, outcome: Outcome): Promise<void> {
  if (call.settled !== null) return call.settled;
  call.lease?.release();
  gateway.running.delete(call);
  call.attempt?.end(call.gone ?? new Error("the call has ended"));
  const { meter } = call;
  call.settled = gateway.ledger.settle({
    id: call.id,
    at: Date.now(),
    status: outcome.status,
    httpStatus: outcome.httpStatus,
    error: outcome.error,
    model: call.model,
    provider: call.target?.provider ?? null,
    finishReason: call.finishReason,
    promptTokens: meter.promptTokens,
    completionTokens: meter.completionTokens,
    cachedTokens: meter.cachedTokens,
    usageSource: meter.source,
    queueMs: sinceArrival(call, meter.startedAt),
    firstTokenMs: sinceArrival(call, meter.firstTokenAt),
    totalMs: round(performance.now() - call.startedAt),
    droppedParams: [...call.dropped],
    costNanoUsd: costOf(call, outcome),
    attempts: call.attempts,
  });
  return call.settled;
}

/** What the caller got is charged by who gave it; a failure costs nothing. */
function costOf({ target, meter }: Call, { status }: Outcome): number | null {
  if (status === "failed" || target === null) return null;
  return costNanoUsd(target.price, meter.promptTokens, meter.completionTokens);
}

function sinceArrival(call: Call, time: number): number | null {
  return time === 0 ? null : round(Math.max(0, time - call.startedAt));
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
