import { GatewayError } from "../contract/errors.ts";
import type {
  AttemptContext,
  JsonObject,
  Operation,
  OperationInput,
  StreamEvent,
  Target,
} from "../types.ts";
import type { Call } from "./call.ts";
import type { Gateway } from "./gateway.ts";

export type Events = AsyncIterator<readonly StreamEvent[]>;

/** A target's answer that has begun: the whole body, or the first events and where the rest comes from. */
export type Started =
  | { readonly kind: "json"; readonly body: JsonObject }
  | { readonly kind: "stream"; readonly first: readonly StreamEvent[]; readonly events: Events };

/**
 * Asks the first target, and waits until it has begun to answer, so that a failure before the first
 * token still has its own status.
 * @throws GatewayError what the target says: 400, 502, 503, 504
 */
export async function attempt<O extends Operation>(
  gateway: Gateway,
  operation: O,
  input: OperationInput[O],
  targets: readonly Target[],
  call: Call,
): Promise<Started> {
  const target = targets[0];
  const backend = target === undefined ? undefined : gateway.backends.get(target.provider);
  if (target === undefined || backend === undefined) {
    throw new GatewayError("unavailable", "No target can answer this call.", { retryAfter: 5 });
  }
  call.target = target;
  const run = backend.operations[operation];
  if (run === undefined) {
    throw new GatewayError(
      "invalid_request",
      `The model '${target.model.id}' does not answer ${call.endpoint}: its provider '${target.provider}' has no such operation.`,
      { param: "model" },
    );
  }
  const context: AttemptContext = {
    callId: call.id,
    signal: call.abort.signal,
    abort: (reason) => call.abort.abort(reason),
    meter: call.meter,
    dropped: call.dropped,
    keyId: call.caller.keyId,
    prefill: null,
    notes: new Map(),
  };
  const reply = await run(target, input, context);
  if (reply.kind === "json") return { kind: "json", body: reply.body };
  const events = reply.events[Symbol.asyncIterator]();
  const first = await events.next();
  if (first.done === true) throw endedEarly(target);
  return { kind: "stream", first: first.value, events };
}

/** A stream that ended without saying why: never passed off as a success. */
export function endedEarly(target: Target | null): GatewayError {
  return new GatewayError(
    "upstream_error",
    `The answer broke off: '${target?.provider ?? "the provider"}' closed it without a finish reason.`,
  );
}
