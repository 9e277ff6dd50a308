import { join } from "node:path";
import packageFile from "../package.json" with { type: "json" };
import { loadAliases } from "./catalog/aliases.ts";
import { Availability } from "./catalog/availability.ts";
import { ChatTemplates } from "./catalog/chat-templates.ts";
import { type LiveModels, liveModels } from "./catalog/live-models.ts";
import { catalogFolders, loadCatalog } from "./catalog/load.ts";
import { loadProviderFiles, providerFolders } from "./catalog/providers.ts";
import {
  providerWarnings,
  type SettledProvider,
  settleProviders,
  type UnusedKey,
  unusedKeys,
} from "./catalog/settle-providers.ts";
import { starterOf } from "./catalog/starter.ts";
import { FREE } from "./catalog/target.ts";
import { prepareWeights } from "./catalog/weights.ts";
import { refuseKeyless } from "./config/load.ts";
import type { Config } from "./config/schema.ts";
import { GatewayError } from "./contract/errors.ts";
import { Images } from "./dialects/images.ts";
import { createBackend, type DialectOptions } from "./dialects/index.ts";
import { createLocalBackend, LOCAL_CONTINUATION, type LocalBackend } from "./engines/index.ts";
import { renderChat } from "./engines/render-chat.ts";
import { type AuthRules, hashKey, type Keys } from "./gateway/authenticate.ts";
import { drain } from "./gateway/drain.ts";
import { endWithdrawn } from "./gateway/end-withdrawn.ts";
import type { Gateway, Routing } from "./gateway/gateway.ts";
import { MemoryLimiter } from "./gateway/limits/memory.ts";
import { plansOf } from "./gateway/limits/plans.ts";
import { spentIn } from "./gateway/limits/spent.ts";
import { listingOf, TEXT_PARAMETERS } from "./gateway/listing/describe-model.ts";
import { readinessOf } from "./gateway/listing/readiness.ts";
import { searchOf } from "./gateway/listing/search-models.ts";
import { Health } from "./gateway/routing/health.ts";
import { Slots } from "./gateway/routing/slots.ts";
import { listen } from "./http/server.ts";
import { engineInstalled, NO_ENGINE } from "./lib/engine-installed.ts";
import type { Log } from "./lib/log.ts";
import { UserError } from "./lib/user-error.ts";
import {
  type GatewayKeys,
  type Keep,
  openKeys,
  openStore,
  type Store,
  serverSecret,
} from "./store/index.ts";
import { type PayloadOptions, PayloadStore } from "./store/payloads/client.ts";
import type { Backend, Model } from "./types.ts";

/** What clients get at least to read the ends of their answers in, when the server stops. */
const DELIVERY_MS = 1000;
/** How long starting waits for the keys; until they are known, calls with one get 503. */
const KEYS_MS = 5000;
/** How often running calls are looked through for keys that have expired. */
const WITHDRAWN_MS = 250;
/** How often to look whether a model was pulled meanwhile. */
const AVAILABILITY_MS = 3000;
const IDLE_CONNECTION_S = 120;
/** What payloads that are on their way get to reach the disk, when the server stops. */
const PAYLOADS_MS = 3000;
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
  readonly keys: GatewayKeys;
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
    maxJournalBytes: config.journal.maxBytes,
    databaseUrl: databaseUrl(config),
    keep: keepOf(config.log),
    version: packageFile.version,
  });
  try {
    const secret = serverSecret(
      config.home,
      config.serverSecret(),
      config.secret("DATABASE_URL") !== null,
    );
    const own = loadCatalog(catalogFolders(config.home, config.models.folders));
    const files = loadProviderFiles(providerFolders(config.home));
    const providers = settleProviders(config.providers, files, config.secret);
    for (const warning of providerWarnings(providers)) log.warn(warning);
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
    const limiter = new MemoryLimiter({ spent: spentIn(store.calls, store.caughtUp) });
    const keys = openKeys({
      read: (text, values) => store.query(text, values),
      write: (text, values) => store.write(text, values),
      secret,
      staleAfterMs: config.keys.staleAfter,
      refuseStale: config.keys.refuseStale,
      onChange: () => endWithdrawn(gateway, Date.now()),
    });
    const payloads = new PayloadStore(
      join(config.home, "payloads"),
      payloadOptions(config, providers),
    );
    const gateway: Gateway = {
      auth: authRules(config, keys),
      models: models.index,
      plans: plansOf(config.limits, config.plans),
      limiter,
      routing: routingOf(config, providers),
      health: new Health({
        failures: config.routing.breakerFailures,
        cooldownMs: config.routing.breakerCooldown,
      }),
      slots: new Slots(concurrencyOf(providers)),
      ledger: store.ledger,
      payloads,
      backends: backends(local, models, providers, {
        images: new Images(config.images),
        renderChat: rendering(own.models, new ChatTemplates({ home: config.home }, log)),
      }),
      options: {
        firstByteDelayMs: config.stream.firstByteDelay,
        lenient: config.api.validation === "lenient",
      },
      log,
      running: new Set(),
    };
    await Promise.race([keys.loaded, Bun.sleep(KEYS_MS)]);
    guard(config, keys, log);
    const watch = setInterval(() => endWithdrawn(gateway, Date.now()), WITHDRAWN_MS);
    watch.unref();
    const server = listen(gateway, {
      hostname: config.server.host,
      port: config.server.port,
      maxBodyBytes: config.server.maxBody,
      keepAliveMs: config.stream.keepalive,
      idleConnectionS: IDLE_CONNECTION_S,
      openapi: () => Bun.file(OPENAPI).text(),
      readiness: () =>
        readinessOf(gateway, store.ledger.health(), keys.health(), models.lists(), (model) =>
          models.index.isNamed(model),
        ),
      keys: keys.store,
      analytics: { log: store.analytics, payloads },
      calls: {
        getCall: (id) => store.calls.getCall(id),
        spent: (keyId, since) => store.calls.spent(keyId, since),
        caughtUp: (timeoutMs) => store.caughtUp(timeoutMs),
      },
    });
    availability.watch(AVAILABILITY_MS);
    const discovered = models.start();
    return {
      url: `http://${shownHost(config.server.host)}:${server.port}`,
      gateway,
      local,
      store,
      keys,
      starter,
      models,
      unusedKeys: unusedKeys(providers, files, config.secret),
      discovered,
      close: async (patienceMs) => {
        availability.stop();
        await models.stop();
        limiter.drain();
        const deadline = performance.now() + patienceMs;
        const delivered = server.stop();
        const cut = await drain(gateway, patienceMs);
        // What is accounted may not be read yet: slow clients get the rest of the time.
        const left = Math.max(DELIVERY_MS, deadline - performance.now());
        await Promise.race([delivered, Bun.sleep(patienceMs === 0 ? 0 : left)]);
        await server.stop(true);
        for (const backend of gateway.backends.values()) await backend.close?.();
        clearInterval(watch);
        keys.stop();
        await limiter.close();
        await payloads.close(PAYLOADS_MS);
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

function routingOf(config: Config, providers: readonly SettledProvider[]): Routing {
  const { attempts, budget, maxWait, resume, strategy, models } = config.routing;
  const byModel = new Map(
    Object.entries(models).map(([id, rules]) => [id.toLowerCase(), rules] as const),
  );
  const names = new Map(
    providers.map(({ settings: { id, file } }) => [id, [id, file.name.toLowerCase()]] as const),
  );
  return {
    rules: { attempts, budgetMs: budget, maxWaitMs: maxWait },
    resume,
    strategyOf: (model) => byModel.get(model.id.toLowerCase())?.strategy ?? strategy,
    contextFallback: (model) => byModel.get(model.id.toLowerCase())?.contextFallback ?? null,
    providerNames: (provider) => names.get(provider) ?? [provider],
  };
}

/** Units of each provider that may be taken at once. */
function concurrencyOf(providers: readonly SettledProvider[]): (provider: string) => number | null {
  const limits = new Map(providers.map(({ settings }) => [settings.id, settings.concurrency]));
  return (provider) => limits.get(provider) ?? null;
}

/** Whether anybody may get in: refused, or told, where nobody can. @throws UserError */
function guard(config: Config, { standing }: GatewayKeys, log: Log): void {
  refuseKeyless(config, standing !== "none");
  const { adminKey, allowAnonymous, adminKeyEnv } = config.auth;
  if (standing === "unknown")
    log.warn("the keys' database does not answer: keys are not known yet");
  if (standing === "none" && adminKey === null && !allowAnonymous) {
    log.warn(
      `nobody can get in: anonymous calls are off, ${adminKeyEnv} is not set and there is no key; covey keys create makes one`,
    );
  }
}

function authRules(config: Config, keys: Keys): AuthRules {
  const { adminKey, allowAnonymous, anonymousHosts } = config.auth;
  return {
    adminKeyHash: adminKey === null ? null : hashKey(adminKey),
    keys,
    allowAnonymous,
    anonymousHosts: new Set(anonymousHosts.map((host) => host.toLowerCase())),
    origins: new Set(config.server.corsOrigins),
  };
}

/** No key that this process knows is ever part of a kept payload. */
function payloadOptions(config: Config, providers: readonly SettledProvider[]): PayloadOptions {
  const { quota, imageQuota, retention, redact, maxPending, ...rules } = config.payloads;
  const secrets = [
    config.auth.adminKey,
    config.hub.token,
    ...providers.flatMap(({ settings }) => settings.keys),
  ];
  return {
    ...rules,
    quotaBytes: quota,
    imageQuotaBytes: imageQuota,
    retentionMs: retention,
    patterns: [...redact],
    secrets: secrets.filter((secret) => secret !== null),
    maxPendingBytes: maxPending,
  };
}

/** Where the call log and the keys are, when not in the home folder. */
function databaseUrl(config: Config): string | null {
  const url = config.secret("DATABASE_URL");
  if (url === null || /^postgres(ql)?:\/\//i.test(url)) return url;
  throw new UserError("DATABASE_URL: expected postgres://user:password@host:5432/database");
}

function keepOf(log: Config["log"]): Keep {
  return {
    callsMs: log.keepCalls,
    minutesMs: log.keepMinutes,
    hoursMs: log.keepHours,
    daysMs: log.keepDays,
    maxBytes: log.maxBytes,
    refusedRows: log.keepRefused,
  };
}

function shownHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
