import { GatewayError } from "../contract/errors.ts";
import { ANONYMOUS } from "../gateway/authenticate.ts";
import { clientRequestId } from "../gateway/call.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { timeOrderedId } from "../lib/id.ts";
import { respondError } from "./respond.ts";

/**
 * The answer to a request that failed outside the pipeline: an unknown path, a bad query, no key for
 * the list of models. It is logged like the pipeline's own refusals.
 */
export function refuse(gateway: Gateway, request: Request, thrown: unknown): Response {
  const id = timeOrderedId("req-", Date.now());
  const requestId = clientRequestId(request.headers);
  const error = known(gateway, id, thrown);
  gateway.ledger.refuse({
    id,
    at: Date.now(),
    endpoint: new URL(request.url).pathname,
    model: null,
    keyId: ANONYMOUS.keyId,
    requestId,
    httpStatus: error.status,
    error: error.kind,
  });
  return respondError(request, error, requestId ?? id);
}

function known(gateway: Gateway, id: string, thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const detail = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  gateway.log.error("a request failed in our own code", { request: id, detail });
  return new GatewayError("internal", `Something went wrong on our side. The request is ${id}.`);
}
