import { withdrawn } from "./authenticate.ts";
import { endCall } from "./call.ts";
import type { Gateway } from "./gateway.ts";

/**
 * Ends the running calls whose keys are good no longer: revoked, disabled, expired, replaced. Returns
 * how many. @param now Unix milliseconds
 */
export function endWithdrawn(gateway: Gateway, now: number): number {
  let ended = 0;
  for (const call of gateway.running) {
    if (call.gone !== null) continue;
    const reason = withdrawn(call.caller, gateway.auth, now);
    if (reason === null) continue;
    endCall(call, reason);
    ended += 1;
  }
  return ended;
}
