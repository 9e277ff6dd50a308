import { GatewayError } from "../contract/errors.ts";
import type { Caller, Operation } from "../types.ts";
import { cancel } from "./fail.ts";
import type { Gateway } from "./gateway.ts";

const OF_IMAGES: ReadonlySet<Operation> = new Set(["upscale"]);

/**
 * Ends the caller's own calls for images, those that wait too: as if its client had left, but that it is
 * told. What is made already is sent on. Returns how many.
 */
export function interruptImages(gateway: Gateway, { keyId }: Caller): number {
  let ended = 0;
  for (const call of [...gateway.running]) {
    if (!OF_IMAGES.has(call.operation) || call.caller.keyId !== keyId || call.sending) continue;
    cancel(gateway, call, interrupted());
    ended += 1;
  }
  return ended;
}

function interrupted(): GatewayError {
  return new GatewayError("client_closed", "The call was interrupted: POST /sdapi/v1/interrupt.");
}
