import { join } from "node:path";
import packageFile from "../package.json" with { type: "json" };
import { closeAll } from "./app/close.ts";
import { gatewayOf } from "./app/gateway.ts";
import { guard, guardSecret, lacksSecret } from "./app/guards.ts";
import { limiterOf } from "./app/limiter.ts";
import { logSettings, observation } from "./app/observe.ts";
import { PlanWatch } from "./app/plan-watch.ts";
import { type Reloaded, Reloader } from "./app/reload.ts";
import { serverOf } from "./app/server.ts";
import { logReplaced, type ResolveName, readSettings, type Settings } from "./app/settings.ts";
import { payloadOptions, storeOptions } from "./app/store-options.ts";
import { supplyOf } from "./app/supply.ts";
import type { LiveModels } from "./catalog/live-models.ts";
import { routingWarnings } from "./catalog/routing-names.ts";
import {
  faultWarnings,
  providerWarnings,
  type UnusedKey,
  unusedKeys,
} from "./catalog/settle-providers.ts";
import type { Reread } from "./config/reread.ts";
import type { Config } from "./config/schema.ts";
import type { LocalBackend } from "./engines/index.ts";
import { endWithdrawn } from "./gateway/end-withdrawn.ts";
import type { Gateway } from "./gateway/gateway.ts";
import type { SettableLog } from "./lib/log.ts";
import {
  type GatewayKeys,
  openKeys,
  openStore,
  type Store,
  serverSecret,
  tellAddress,
} from "./store/index.ts";
import { PayloadStore } from "./store/payloads/client.ts";
import type { Model } from "./types.ts";

/** How long starting waits for the keys; until they are known, calls with one get 503. */
const KEYS_MS = 5000;
/** How often running calls are looked through for keys that have expired. */
const WITHDRAWN_MS = 250;
/** How often to look whether a model was pulled meanwhile. */
const AVAILABILITY_MS = 3000;

/** A running Covey. */
export interface App {
  readonly url: string;
  readonly gateway: Gateway;
  readonly local: LocalBackend;
  readonly store: Store;
  readonly keys: GatewayKeys;
  readonly starter: Model;
  /** What providers list. */
  readonly models: LiveModels;
  /** Keys in the environment of providers that are not switched on. */
  readonly unusedKeys: readonly UnusedKey[];
  /** Resolves when each provider's list was tried once. Never rejects. */
  readonly discovered: Promise<void>;
  /** What it runs with now. */
  settings(): Settings;
  /** Reads config and files again; rejects with a `UserError`, and nothing changed, when one is bad. */
  reload(): Promise<Reloaded>;
  /** Lets running calls end for at most `patienceMs`, then ends everything. Returns how many were cut off. */
  close(patienceMs: number): Promise<number>;
}

export interface StartOptions {
  /** Somebody at a terminal reads the log. */
  readonly pretty?: boolean;
  /** Reads the config again, for a reload; without it, that is the same one. */
  readonly reread?: () => Reread;
}

/**
 * Puts the parts together and starts listening. Nothing is loaded yet but the catalog.
 * @throws UserError for a home folder in use, a bad model file, a port in use
 */
export async function startApp(
  config: Config,
  log: SettableLog,
  options: StartOptions = {},
): Promise<App> {
  const store = openStore(storeOptions(config, log));
  try {
    return await startOn(store, config, log, options);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function startOn(
  store: Store,
  config: Config,
  log: SettableLog,
  { pretty = false, reread = () => ({ config, needRestart: [] }) }: StartOptions,
): Promise<App> {
  const secretIsNew = lacksSecret(config);
  const secret = serverSecret(
    config.home,
    config.serverSecret(),
    config.secret("DATABASE_URL") !== null,
  );
  // The models are put together from the settings, which ask for them by name later on.
  const named: { models: LiveModels | null } = { models: null };
  const resolveName: ResolveName = (name) => named.models?.index.resolve(name);
  const first = readSettings(config, resolveName);
  const current = { settings: first };
  const settings = () => current.settings;
  log.use(logSettings(first, pretty));
  for (const warning of [...faultWarnings(first.faults), ...providerWarnings(first.providers)])
    log.warn(warning);
  logReplaced(first.replaced, log);
  const observed = observation(log, settings, (name) => resolveName(name)?.id);
  const supply = await supplyOf(first, log, observed.rested, (models) => {
    named.models = models;
  });
  const { models, availability, starter, local, upstreams } = supply;
  const limiter = limiterOf(config, store, log);
  const keys = openKeys({
    read: (text, values) => store.query(text, values),
    write: (text, values) => store.write(text, values),
    secret,
    staleAfterMs: config.keys.staleAfter,
    refuseStale: config.keys.refuseStale,
    onChange: () => {
      endWithdrawn(gateway, Date.now());
      lostPlans.keysChanged();
    },
  });
  const lostPlans = new PlanWatch(
    () => keys.all(),
    () => settings().plans,
    log,
  );
  const payloads = new PayloadStore(join(config.home, "payloads"), payloadOptions(first));
  const gateway = gatewayOf({ settings, supply, limiter, keys, store, payloads, observed, log });
  await Promise.race([keys.loaded, Bun.sleep(KEYS_MS)]);
  guardSecret(config, keys, secretIsNew, log);
  guard(config, keys, log);
  const withdrawn = setInterval(() => endWithdrawn(gateway, Date.now()), WITHDRAWN_MS);
  withdrawn.unref();
  const reloader = new Reloader(
    {
      ...{ models, availability, local, upstreams, log, health: gateway.health },
      ...{ current: settings, resolveName, keyWarnings: () => lostPlans.plansChanged() },
      swap: (next) => {
        current.settings = next;
        log.use(logSettings(next, pretty));
        supply.imageSource.use(next.config.images);
        payloads.configure(payloadOptions(next));
      },
    },
    reread,
  );
  const endWatch = observed.watch({
    ...{ gateway, local, store, payloads, version: packageFile.version },
    lists: () => models.lists(),
    quotas: () => settings().config.payloads,
  });
  const server = serverOf({
    ...{ settings, gateway, models, keys, lostPlans, store, payloads, observed, reloader },
  });
  tellAddress(config.home, `${config.server.host}:${server.port}`);
  availability.watch(AVAILABILITY_MS);
  const discovered = models.start().then(() => {
    const rules = config.routing.models;
    for (const warning of routingWarnings(rules, models.index, models.lists(), config.place))
      log.warn(warning);
  });
  const stopWatching = () => {
    clearInterval(withdrawn);
    endWatch();
  };
  return {
    url: `http://${shownHost(config.server.host)}:${server.port}`,
    ...{ gateway, local, store, keys, starter, models, discovered, settings },
    unusedKeys: unusedKeys(first.providers, first.files, config.secret),
    reload: () => reloader.reload(),
    close: (patienceMs) =>
      closeAll({ gateway, supply, server, keys, payloads, store, stopWatching }, patienceMs),
  };
}

function shownHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
