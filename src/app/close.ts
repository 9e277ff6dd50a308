import { drain } from "../gateway/drain.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { GatewayKeys, Store } from "../store/index.ts";
import type { PayloadStore } from "../store/payloads/client.ts";
import type { Supply } from "./supply.ts";

/** What clients get at least to read the ends of their answers in, when the server stops. */
const DELIVERY_MS = 1000;
/** What payloads that are on their way get to reach the disk, when the server stops. */
const PAYLOADS_MS = 3000;

export interface Closing {
  readonly gateway: Gateway;
  readonly supply: Supply;
  readonly server: Bun.Server<undefined>;
  readonly keys: GatewayKeys;
  readonly payloads: PayloadStore;
  readonly store: Store;
  /** Ends what looks at all of them. */
  stopWatching(): void;
}

/** Lets running calls end for at most `patienceMs`, then ends everything, in order. Returns how many were cut off. */
export async function closeAll(parts: Closing, patienceMs: number): Promise<number> {
  const { gateway, supply, server, keys, payloads, store, stopWatching } = parts;
  supply.availability.stop();
  await supply.models.stop();
  gateway.limiter.drain();
  const deadline = performance.now() + patienceMs;
  const delivered = server.stop();
  const cut = await drain(gateway, patienceMs);
  // What is accounted may not be read yet: slow clients get the rest of the time.
  const left = Math.max(DELIVERY_MS, deadline - performance.now());
  await Promise.race([delivered, Bun.sleep(patienceMs === 0 ? 0 : left)]);
  await server.stop(true);
  for (const backend of gateway.backends.values()) await backend.close?.();
  supply.refitter?.close();
  stopWatching();
  keys.stop();
  await gateway.limiter.close();
  await payloads.close(PAYLOADS_MS);
  await store.close();
  return cut;
}
