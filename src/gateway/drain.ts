import { GatewayError } from "../contract/errors.ts";
import { endCall } from "./call.ts";
import type { Gateway } from "./gateway.ts";

const POLL_MS = 20;
/** How long ended calls may take to say so. */
const GRACE_MS = 1000;

/**
 * Waits until no call runs; after `patienceMs` ends those that still do, each with an error that
 * says why. Returns how many had to be ended.
 */
export async function drain(gateway: Gateway, patienceMs: number): Promise<number> {
  await emptied(gateway, patienceMs);
  const late = [...gateway.running];
  for (const call of late) {
    endCall(
      call,
      new GatewayError("unavailable", "The server is shutting down.", { retryAfter: 5 }),
    );
  }
  await emptied(gateway, GRACE_MS);
  return late.length;
}

async function emptied(gateway: Gateway, patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (gateway.running.size > 0 && performance.now() < deadline) await Bun.sleep(POLL_MS);
}
