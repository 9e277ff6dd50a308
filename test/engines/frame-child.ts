import { GatewayError } from "../../src/contract/errors.ts";
import { serve } from "../../src/engines/child-frame.ts";
import type { Speech } from "../../src/engines/kind.ts";

/** A child process whose model counts: for tests of the frame that all engines have. */

export interface CountingSpeech extends Speech {
  readonly load: { readonly fails: boolean };
  readonly info: { readonly greeting: string };
  readonly ask: {
    readonly to: number;
    readonly bytes: Uint8Array;
    /** Milliseconds at the end in which it can't be interrupted. */
    readonly deafMs?: number;
  };
  readonly event:
    | { readonly type: "progress"; readonly at: number }
    | {
        readonly type: "done";
        readonly bytes: Uint8Array;
        readonly cancelled: number;
        readonly atOnce: number;
      };
}

let cancelled = 0;
let running = 0;
let atOnce = 0;

serve<CountingSpeech>({
  load: async ({ fails }, progress) => {
    progress();
    if (fails) throw new Error("the weights are made of cheese");
    return {
      info: { greeting: "hello" },
      run: async ({ to, bytes, deafMs = 0 }, signal, tell) => {
        if (to < 0) throw new GatewayError("invalid_request", "Can't count down.", { param: "to" });
        if (!Number.isInteger(to)) throw new Error("between two numbers");
        running++;
        atOnce = Math.max(atOnce, running);
        try {
          return await count(to, bytes, deafMs, signal, tell);
        } finally {
          running--;
        }
      },
    };
  },
});

async function count(
  to: number,
  bytes: Uint8Array,
  deafMs: number,
  signal: AbortSignal,
  tell: (event: CountingSpeech["event"]) => void,
): Promise<CountingSpeech["event"]> {
  for (let at = 0; at < to; at++) {
    tell({ type: "progress", at });
    await Bun.sleep(1);
    if (signal.aborted) {
      cancelled++;
      throw signal.reason;
    }
  }
  if (deafMs > 0) tell({ type: "progress", at: to });
  await Bun.sleep(deafMs);
  return { type: "done", bytes: bytes.toReversed(), cancelled, atOnce };
}
