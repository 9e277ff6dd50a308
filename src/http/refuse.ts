import { GatewayError } from "../contract/errors.ts";
import { authenticate } from "../gateway/authenticate.ts";
import { clientRequestId } from "../gateway/call.ts";
import { refuse as refuseCall } from "../gateway/fail.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { voiceOf } from "../gateway/voices/voice-of.ts";
import { timeOrderedId } from "../lib/id.ts";
import type { Caller } from "../types.ts";
import { pathOf } from "./address.ts";
import { respondError } from "./respond.ts";
import { allowedMethod, isFixed } from "./unknown.ts";

/**
 * The answer to a request that failed outside the pipeline: an unknown path, a bad query, no key for
 * the list of models. It is logged like the pipeline's own refusals.
 */
export function refuse(gateway: Gateway, request: Request, thrown: unknown): Response {
  const id = timeOrderedId("req-", Date.now());
  const requestId = clientRequestId(request.headers);
  const error = known(gateway, id, thrown);
  const endpoint = pathOf(request);
  const method = allowedMethod(endpoint);
  refuseCall(gateway, {
    id,
    at: Date.now(),
    endpoint,
    known: isFixed(endpoint),
    model: null,
    keyId: callerOf(gateway, request)?.keyId ?? "unknown",
    requestId,
    httpStatus: error.status,
    error: error.kind,
  });
  const headers = error.status === 405 && method !== null ? { allow: method } : {};
  return respondError(request, error, voiceOf(endpoint), requestId ?? id, headers);
}

/** Who is calling, or null for somebody who may not. */
export function callerOf(gateway: Gateway, request: Request): Caller | null {
  try {
    return authenticate(request.headers, gateway.auth);
  } catch (error) {
    if (error instanceof GatewayError) return null;
    throw error;
  }
}

function known(gateway: Gateway, id: string, thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const detail = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  gateway.log.error("a request failed in our own code", { request: id, detail });
  return new GatewayError("internal", `Something went wrong on our side. The request is ${id}.`);
}
