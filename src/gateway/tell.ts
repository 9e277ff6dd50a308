import { GatewayError } from "../contract/errors.ts";
import { LineBound } from "../lib/line-bound.ts";
import type { Level, Log } from "../lib/log.ts";
import type { AttemptRecord, RefusalRecord, SettleRecord } from "../types.ts";
import type { Call } from "./call.ts";
import type { Observer } from "./observer.ts";
import { faultOf } from "./routing/retry.ts";

/** Failed attempts of one provider that get a line of their own, in so many milliseconds. */
const MOST_FAILURES = 5;
const SPAN_MS = 10_000;

/**
 * Tells the log of calls and of attempts that fail: ids, names and numbers, never what was said. An outage
 * is a few lines for each provider, and how many there were besides.
 */
export class Teller implements Observer {
  readonly #log: Log;
  readonly #level: () => Level;
  readonly #bound = new LineBound(MOST_FAILURES, SPAN_MS);

  /** `level`: at which calls that have ended are told. */
  constructor(log: Log, level: () => Level) {
    this.#log = log;
    this.#level = level;
  }

  attempted(call: Call, record: AttemptRecord, failure: unknown): void {
    if (failure === null || call.gone !== null) return;
    if (!this.#bound.may(record.provider, performance.now())) return;
    this.#log.warn("an attempt failed", {
      provider: record.provider,
      model: record.model,
      error: record.error,
      fault: failure instanceof GatewayError ? faultOf(failure) : "internal",
      call: call.id,
      request: call.clientRequestId,
      how: record.how,
      took_ms: record.tookMs,
    });
  }

  settled(call: Call, record: SettleRecord): void {
    const level = this.#level();
    if (!this.#log.writes(level)) return;
    this.#log[level]("a call ended", {
      call: call.id,
      request: call.clientRequestId,
      key: call.caller.keyId,
      endpoint: call.endpoint,
      model: call.model,
      provider: record.provider,
      status: record.status,
      code: record.httpStatus,
      error: record.error,
      attempts: record.attempts.length,
      queue_ms: record.queueMs,
      first_token_ms: record.firstTokenMs,
      total_ms: record.totalMs,
      prompt_tokens: record.promptTokens,
      cached_tokens: record.cachedTokens,
      completion_tokens: record.completionTokens,
      cost_nano_usd: record.costNanoUsd,
    });
  }

  refused(record: RefusalRecord): void {
    const level = this.#level();
    if (!this.#log.writes(level)) return;
    this.#log[level]("a call was refused", {
      call: record.id,
      request: record.requestId,
      key: record.keyId,
      endpoint: record.known ? record.endpoint : "(unknown)",
      model: record.model,
      code: record.httpStatus,
      error: record.error,
    });
  }

  /** To be called now and then: tells how many failures were left out. */
  tick(now: number): void {
    for (const [provider, more] of this.#bound.ended(now)) {
      this.#log.warn("more attempts failed", { provider, more });
    }
  }
}
