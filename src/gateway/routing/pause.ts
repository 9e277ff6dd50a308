import type { GatewayError } from "../../contract/errors.ts";
import type { Call } from "../call.ts";

/**
 * Waits on behalf of a call: until `ms` milliseconds have passed, or `woken` has called back. Rejects
 * when the call is ended meanwhile. `woken` is given the callback and returns how to take it back.
 */
export function pause(
  call: Call,
  ms: number,
  woken: (wake: () => void) => () => void = () => () => undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (call.gone !== null) {
      reject(call.gone);
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      forget();
      call.interrupt = null;
    };
    const wake = (): void => {
      end();
      resolve();
    };
    const timer = setTimeout(wake, ms);
    const forget = woken(wake);
    call.interrupt = (reason: GatewayError) => {
      end();
      reject(reason);
    };
  });
}
