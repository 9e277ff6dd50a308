import { GatewayError } from "../contract/errors.ts";
import { withoutKeys } from "../lib/redact.ts";
import type { RefusalRecord } from "../types.ts";
import { account, failureOf } from "./account.ts";
import { type Answer, answerHeaders } from "./answer.ts";
import type { Call } from "./call.ts";
import type { Gateway } from "./gateway.ts";
import { providerOf } from "./listing/provider-name.ts";

/**
 * From here on the client's leaving ends the call: the backend is told to stop, and the call is
 * settled at once with what it had used, whether or not the backend reacts.
 */
export function watchClient(gateway: Gateway, call: Call, signal: AbortSignal): void {
  const leave = (): void => cancel(gateway, call);
  if (signal.aborted) leave();
  else signal.addEventListener("abort", leave, { once: true });
}

/** Ends a call whose caller wants it no more. */
export function cancel(gateway: Gateway, call: Call, gone: GatewayError = left()): void {
  if (call.settled !== null) return;
  call.gone ??= gone;
  void account(gateway, call, { status: "cancelled", httpStatus: 499, error: gone.kind });
  call.interrupt?.(gone);
}

function left(): GatewayError {
  return new GatewayError("client_closed", "The client closed the connection.");
}

/**
 * What a thrown value means to the caller. Ours are told as they are; an aborted call is told why
 * it was aborted; anything else is our own fault, logged in full and told without details.
 */
export function explain(gateway: Gateway, call: Call, error: unknown): GatewayError {
  if (call.gone !== null) return call.gone;
  if (error instanceof GatewayError) return error;
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  gateway.log.error("a request failed in our own code", { call: call.id, detail });
  return new GatewayError("internal", `Something went wrong on our side. The call is ${call.id}.`);
}

/** Records the failure, as a settled call or as a refusal, and turns it into the caller's answer. */
export async function fail(gateway: Gateway, call: Call, thrown: unknown): Promise<Answer> {
  const explained = explain(gateway, call, thrown);
  const error = call.voice.failure(explained);
  if (call.reserved) {
    const { status } = failureOf(call, explained);
    await account(gateway, call, { status, httpStatus: error.status, error: error.kind });
  } else {
    call.lease?.release();
    refuse(gateway, {
      id: call.id,
      at: call.at,
      endpoint: call.endpoint,
      known: true,
      model: call.model,
      keyId: call.caller.keyId,
      requestId: call.clientRequestId,
      httpStatus: error.status,
      error: error.kind,
    });
  }
  return {
    status: error.status,
    headers: { ...answerHeaders(gateway, call), ...errorHeaders(error) },
    json: call.voice.errorBody(error, providerOf(gateway, call)),
  };
}

/** Into the call log, and to who watches. What was typed as a path or a model may be a key. */
export function refuse(gateway: Gateway, typed: RefusalRecord): void {
  const record = {
    ...typed,
    endpoint: shown(typed.endpoint),
    model: typed.model === null ? null : shown(typed.model),
  };
  gateway.ledger.refuse(record);
  gateway.observer?.refused(record);
}

/** Longer ones are cut by the log anyway. */
const MAX_TYPED = 512;

function shown(typed: string): string {
  return withoutKeys(typed.slice(0, MAX_TYPED), []);
}

/** A 503 says when to try again, unless that can't help. */
const USUAL_RETRY_S = 5;

/** What SDKs read besides the body: when to try again, and whether to. */
export function errorHeaders(error: GatewayError): Record<string, string> {
  const headers: Record<string, string> = {};
  const usual = error.status === 503 && error.retryable ? USUAL_RETRY_S : undefined;
  const wait = error.retryAfter ?? usual;
  if (wait !== undefined) headers["retry-after"] = String(Math.max(1, Math.ceil(wait)));
  if (!error.retryable) headers["x-should-retry"] = "false";
  return headers;
}
