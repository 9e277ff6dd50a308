import { join } from "node:path";
import packageFile from "../package.json" with { type: "json" };
import { loadAliases } from "./catalog/aliases.ts";
import { Availability } from "./catalog/availability.ts";
import { ChatTemplates } from "./catalog/chat-templates.ts";
import { type LiveModels, liveModels } from "./catalog/live-models.ts";
import { catalogFolders, loadCatalog } from "./catalog/load.ts";
import { readProviderFiles } from "./catalog/providers.ts";
import { routingWarnings } from "./catalog/routing-names.ts";
import {
  faultWarnings,
  providerWarnings,
  type SettledProvider,
  settleProviders,
  type UnusedKey,
  unusedKeys,
} from "./catalog/settle-providers.ts";
import { starterOf } from "./catalog/starter.ts";
import { FREE } from "./catalog/target.ts";
import { prepareWeights } from "./catalog/weights.ts";
import type { Config } from "./config/schema.ts";
import { GatewayError } from "./contract/errors.ts";
import { Images } from "./dialects/images.ts";
import { createBackend, type DialectOptions } from "./dialects/index.ts";
import { createLocalBackend, LOCAL_CONTINUATION, type LocalBackend } from "./engines/index.ts";
import { renderChat } from "./engines/render-chat.ts";
import { Admission } from "./gateway/admit.ts";
import { type AuthRules, hashKey } from "./gateway/authenticate.ts";
import { drain } from "./gateway/drain.ts";
import type { Gateway, Routing } from "./gateway/gateway.ts";
import { listingOf, TEXT_PARAMETERS } from "./gateway/listing/describe-model.ts";
import { readinessOf } from "./gateway/listing/readiness.ts";
import { searchOf } from "./gateway/listing/search-models.ts";
import { Health } from "./gateway/routing/health.ts";
import { Slots } from "./gateway/routing/slots.ts";
import { tellHealth, tellKeyRest } from "./gateway/tell-operator.ts";
import { listen } from "./http/server.ts";
import { engineInstalled, NO_ENGINE } from "./lib/engine-installed.ts";
import type { Log } from "./lib/log.ts";
import { UserError } from "./lib/user-error.ts";
import { openStore, type Store } from "./store/index.ts";
import type { Backend, Model } from "./types.ts";

/** What clients get at least to read the ends of their answers in, when the server stops. */
const DELIVERY_MS = 1000;
/** How often to look whether a model was pulled meanwhile. */
const AVAILABILITY_MS = 3000;
const IDLE_CONNECTION_S = 120;
const LOCAL_FACTS = {
  price: FREE,
  continuation: LOCAL_CONTINUATION,
  parameters: TEXT_PARAMETERS,
};
const OPENAPI = join(import.meta.dir, "..", "openapi.json");

/** A running Covey. */
export interface App {
  readonly url: string;
  readonly gateway: Gateway;
  readonly local: LocalBackend;
  readonly store: Store;
  readonly starter: Model;
  /** What providers list. */
  readonly models: LiveModels;
  /** Keys in the environment of providers that are not switched on. */
  readonly unusedKeys: readonly UnusedKey[];
  /** Resolves when each provider's list was tried once. Never rejects. */
  readonly discovered: Promise<void>;
  /** Lets running calls end for at most `patienceMs`, then ends everything. Returns how many were cut off. */
  close(patienceMs: number): Promise<number>;
}

/**
 * Puts the parts together and starts listening. Nothing is loaded yet but the catalog.
 * @throws UserError for a home folder in use, a bad model file, a port in use
 */
export async function startApp(config: Config, log: Log): Promise<App> {
  const store = openStore({
    home: config.home,
    durability: config.journal.durability,
    version: packageFile.version,
  });
  try {
    const own = loadCatalog(catalogFolders(config.home, config.models.folders));
    const { files, faults } = readProviderFiles(config.home);
    const { place } = config;
    const providers = settleProviders(config.providers, files, config.secret, { faults, place });
    for (const warning of [...faultWarnings(faults), ...providerWarnings(providers)])
      log.warn(warning);
    const models = liveModels({
      own: own.models,
      localFacts: LOCAL_FACTS,
      providers,
      aliases: loadAliases(config.home),
      home: config.home,
      log,
      prepare: (model, targets) => void searchOf(listingOf(model, targets)),
    });
    await models.restore();
    const availability = new Availability(own.models, { home: config.home });
    await availability.refresh();
    const starter = starterOf(own, config.models.starter, availability);
    const { keepAlive: keepAliveMs, loadTimeout: loadTimeoutMs, ...engine } = config.engine;
    const engines = createLocalBackend({
      models: own.models,
      prepare: (model) => weightsOf(model, config),
      config: { ...engine, keepAliveMs, loadTimeoutMs },
      log,
    });
    const local = onlyWithWeights(engines, availability);
    const gateway: Gateway = {
      auth: authRules(config),
      models: models.index,
      admission: new Admission((caller) =>
        caller.role === "anonymous" ? config.limits.anonymous : config.limits.admin,
      ),
      routing: routingOf(config, providers, models.index),
      health: new Health(
        {
          failures: config.routing.breakerFailures,
          cooldownMs: config.routing.breakerCooldown,
        },
        tellHealth(log),
      ),
      slots: new Slots(concurrencyOf(providers)),
      ledger: store.ledger,
      backends: backends(local, models, providers, {
        images: new Images(config.images),
        keyRests: tellKeyRest(log),
        renderChat: rendering(own.models, new ChatTemplates({ home: config.home }, log)),
      }),
      options: {
        firstByteDelayMs: config.stream.firstByteDelay,
        lenient: config.api.validation === "lenient",
      },
      log,
      running: new Set(),
    };
    const server = listen(gateway, {
      hostname: config.server.host,
      port: config.server.port,
      maxBodyBytes: config.server.maxBody,
      keepAliveMs: config.stream.keepalive,
      idleConnectionS: IDLE_CONNECTION_S,
      openapi: () => Bun.file(OPENAPI).text(),
      readiness: () =>
        readinessOf(gateway, store.ledger.health(), models.lists(), (model) =>
          models.index.isNamed(model),
        ),
      calls: {
        getCall: (id) => store.calls.getCall(id),
        spent: (keyId, since) => store.calls.spent(keyId, since),
        caughtUp: (timeoutMs) => store.caughtUp(timeoutMs),
      },
    });
    availability.watch(AVAILABILITY_MS);
    const discovered = models.start().then(() => {
      const { index } = models;
      for (const warning of routingWarnings(config.routing.models, index, models.lists(), place))
        log.warn(warning);
    });
    return {
      url: `http://${shownHost(config.server.host)}:${server.port}`,
      gateway,
      local,
      store,
      starter,
      models,
      unusedKeys: unusedKeys(providers, files, config.secret),
      discovered,
      close: async (patienceMs) => {
        availability.stop();
        await models.stop();
        gateway.admission.close();
        const deadline = performance.now() + patienceMs;
        const delivered = server.stop();
        const cut = await drain(gateway, patienceMs);
        // What is accounted may not be read yet: slow clients get the rest of the time.
        const left = Math.max(DELIVERY_MS, deadline - performance.now());
        await Promise.race([delivered, Bun.sleep(patienceMs === 0 ? 0 : left)]);
        await server.stop(true);
        for (const backend of gateway.backends.values()) await backend.close?.();
        await store.close();
        return cut;
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** A model whose weights are not on this machine, or without an engine, is not one that can answer. */
function onlyWithWeights(local: LocalBackend, availability: Availability): LocalBackend {
  const installed = engineInstalled();
  return {
    ...local,
    state: (target) => {
      if (!installed) return { state: "unavailable", detail: NO_ENGINE };
      const { state, reason } = availability.of(target.model);
      return state === "missing"
        ? { state: "unavailable", detail: reason ?? "its weights are not here" }
        : local.state(target);
    },
  };
}

async function weightsOf(model: Model, config: Config): Promise<string> {
  try {
    return await prepareWeights(model, { home: config.home });
  } catch (error) {
    if (error instanceof UserError) {
      throw new GatewayError("unavailable", error.message, { retryAfter: 30, cause: error });
    }
    throw error;
  }
}

function backends(
  local: LocalBackend,
  models: LiveModels,
  providers: readonly SettledProvider[],
  options: DialectOptions,
): ReadonlyMap<string, Backend> {
  const all = new Map<string, Backend>([[local.id, local]]);
  for (const { settings } of providers)
    all.set(settings.id, models.offered(createBackend(settings, options)));
  return all;
}

/** Chats as text for the servers that only go on with text; the templates on this machine are looked up at once. */
function rendering(
  own: readonly Model[],
  templates: ChatTemplates,
): NonNullable<DialectOptions["renderChat"]> {
  for (const model of own) void templates.load(model);
  return ({ model }, request) => {
    const known = templates.of(model);
    return known === null ? null : renderChat(known, request);
  };
}

function routingOf(
  config: Config,
  providers: readonly SettledProvider[],
  index: Gateway["models"],
): Routing {
  const { attempts, budget, maxWait, resume, strategy, models } = config.routing;
  const rules = Object.entries(models);
  // By any of its names; which those are may change with the lists.
  const rulesOf = (model: Model) =>
    rules.find(([name]) => index.resolve(name)?.id === model.id)?.[1];
  const names = new Map(
    providers.map(({ settings: { id, file } }) => [id, [id, file.name.toLowerCase()]] as const),
  );
  return {
    rules: { attempts, budgetMs: budget, maxWaitMs: maxWait },
    resume,
    strategyOf: (model) => rulesOf(model)?.strategy ?? strategy,
    contextFallback: (model) => rulesOf(model)?.contextFallback ?? null,
    providerNames: (provider) => names.get(provider) ?? [provider],
  };
}

/** Units of each provider that may be taken at once. */
function concurrencyOf(providers: readonly SettledProvider[]): (provider: string) => number | null {
  const limits = new Map(providers.map(({ settings }) => [settings.id, settings.concurrency]));
  return (provider) => limits.get(provider) ?? null;
}

function authRules(config: Config): AuthRules {
  const { adminKey, allowAnonymous, anonymousHosts } = config.auth;
  return {
    adminKeyHash: adminKey === null ? null : hashKey(adminKey),
    allowAnonymous,
    anonymousHosts: new Set(anonymousHosts.map((host) => host.toLowerCase())),
    origins: new Set(config.server.corsOrigins),
  };
}

function shownHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
