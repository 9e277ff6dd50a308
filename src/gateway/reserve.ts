import { withoutKeys } from "../lib/redact.ts";
import type { Call, Incoming } from "./call.ts";
import type { Gateway } from "./gateway.ts";

const MAX_TEXT = 512;

/**
 * Writes the call into the journal before anything is done for it.
 * @throws GatewayError 503 when it can't be recorded
 */
export async function reserve(
  gateway: Gateway,
  call: Call,
  incoming: Incoming,
  stream: boolean,
): Promise<void> {
  await gateway.ledger.reserve(
    {
      id: call.id,
      at: call.at,
      endpoint: call.endpoint,
      model: call.model ?? "",
      keyId: call.caller.keyId,
      stream,
      requestId: call.clientRequestId,
      referer: text(incoming.headers.get("http-referer") ?? incoming.headers.get("referer")),
      title: text(incoming.headers.get("x-title") ?? incoming.headers.get("x-openrouter-title")),
    },
    call.meter,
  );
  call.reserved = true;
  gateway.running.add(call);
}

function text(value: string | null): string | null {
  // An address may carry a key in its query; cut first, or a longer text would cost more than it is worth.
  return value === null || value === "" ? null : withoutKeys(value.slice(0, MAX_TEXT), []);
}
