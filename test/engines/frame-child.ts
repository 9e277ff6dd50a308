import { GatewayError } from "../../src/contract/errors.ts";
import { serve } from "../../src/engines/child-frame.ts";
import type { Speech } from "../../src/engines/kind.ts";

/** A child process whose model counts: for tests of the frame that all engines have. */

export interface CountingSpeech extends Speech {
  readonly load: { readonly fails: boolean };
  readonly info: { readonly greeting: string };
  readonly ask: { readonly to: number; readonly bytes: Uint8Array };
  readonly event:
    | { readonly type: "progress"; readonly at: number }
    | { readonly type: "done"; readonly bytes: Uint8Array; readonly cancelled: number };
}

let cancelled = 0;

serve<CountingSpeech>({
  load: async ({ fails }, progress) => {
    progress();
    if (fails) throw new Error("the weights are made of cheese");
    return {
      info: { greeting: "hello" },
      run: async ({ to, bytes }, signal, tell) => {
        if (to < 0) throw new GatewayError("invalid_request", "Can't count down.", { param: "to" });
        for (let at = 0; at < to; at++) {
          tell({ type: "progress", at });
          await Bun.sleep(1);
          if (signal.aborted) {
            cancelled++;
            throw signal.reason;
          }
        }
        return { type: "done", bytes: bytes.toReversed(), cancelled };
      },
    };
  },
});
