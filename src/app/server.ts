import { join } from "node:path";
import type { Gateway } from "../gateway/gateway.ts";
import { readinessOf } from "../gateway/listing/readiness.ts";
import { listen } from "../http/server.ts";
import type { GatewayKeys, Store } from "../store/index.ts";
import type { PayloadStore } from "../store/payloads/client.ts";
import type { Observation } from "./observe.ts";
import type { PlanWatch } from "./plan-watch.ts";
import { type Reloader, reportOf } from "./reload.ts";
import type { Settings } from "./settings.ts";
import type { Supply } from "./supply.ts";

const IDLE_CONNECTION_S = 120;
const OPENAPI = join(import.meta.dir, "..", "..", "openapi.json");

export interface ServerParts {
  readonly settings: () => Settings;
  readonly gateway: Gateway;
  readonly models: Supply["models"];
  readonly keys: GatewayKeys;
  readonly lostPlans: PlanWatch;
  readonly store: Store;
  readonly payloads: PayloadStore;
  readonly observed: Observation;
  readonly reloader: Reloader;
}

/** Listens, and hands the paths what they read beside the gateway. Throws the runtime's error for a port in use. */
export function serverOf(parts: ServerParts): Bun.Server<undefined> {
  const { settings, gateway, models, keys, lostPlans, store, payloads, observed, reloader } = parts;
  const { server, stream } = settings().config;
  return listen(gateway, {
    hostname: server.host,
    port: server.port,
    get maxBodyBytes() {
      return settings().config.server.maxBody;
    },
    keepAliveMs: stream.keepalive,
    idleConnectionS: IDLE_CONNECTION_S,
    openapi: () => Bun.file(OPENAPI).text(),
    readiness: () =>
      readinessOf(
        gateway,
        store.ledger.health(),
        { ...keys.health(), lostPlans: lostPlans.detail },
        models.lists(),
        (model) => models.index.isNamed(model),
      ),
    keys: keys.store,
    operating: {
      metrics: () => observed.metrics.text(),
      metricsArePublic: () => settings().config.metrics.public,
      reload: async () => reportOf(await reloader.reload()),
    },
    analytics: {
      log: store.analytics,
      payloads,
      keyName: (id) => keys.nameOf(id),
      keys: () => keys.all(),
    },
    calls: {
      getCall: (id) => store.calls.getCall(id),
      spent: (keyId, since) => store.calls.spent(keyId, since),
      caughtUp: (timeoutMs) => store.caughtUp(timeoutMs),
    },
  });
}
