import type { Gateway } from "../gateway/gateway.ts";
import type { Limiter } from "../gateway/limits/limits.ts";
import type { BreakerRules } from "../gateway/routing/breaker.ts";
import { Health } from "../gateway/routing/health.ts";
import { Slots } from "../gateway/routing/slots.ts";
import type { Log } from "../lib/log.ts";
import type { GatewayKeys, Store } from "../store/index.ts";
import type { PayloadStore } from "../store/payloads/client.ts";
import type { Observation } from "./observe.ts";
import type { Settings } from "./settings.ts";
import type { Supply } from "./supply.ts";

export interface GatewayParts {
  /** Those in use: another object after a reload. */
  readonly settings: () => Settings;
  readonly supply: Supply;
  readonly limiter: Limiter;
  readonly keys: GatewayKeys;
  readonly store: Store;
  readonly payloads: PayloadStore;
  readonly observed: Observation;
  readonly log: Log;
}

/** What the path of a request is handed; it reads what a reload changes through getters. */
export function gatewayOf(parts: GatewayParts): Gateway {
  const { settings, supply, limiter, keys, store, payloads, observed, log } = parts;
  return {
    get auth() {
      return { ...settings().auth, keys };
    },
    models: supply.models.index,
    get plans() {
      return settings().plans;
    },
    limiter,
    get routing() {
      return settings().routing;
    },
    health: new Health(() => breakerRules(settings()), observed.turned),
    slots: new Slots((provider) => settings().concurrency.get(provider) ?? null),
    ledger: store.ledger,
    payloads,
    get backends() {
      return supply.upstreams.all;
    },
    get options() {
      return settings().options;
    },
    observer: observed.observer,
    log,
    running: new Set(),
  };
}

function breakerRules({ config: { routing } }: Settings): BreakerRules {
  return { failures: routing.breakerFailures, cooldownMs: routing.breakerCooldown };
}
