import { join } from "node:path";
import packageFile from "../package.json" with { type: "json" };
import { Availability } from "./catalog/availability.ts";
import { ChatTemplates } from "./catalog/chat-templates.ts";
import { catalogFolders, loadCatalog } from "./catalog/load.ts";
import { loadProviderFiles, providerFolders } from "./catalog/providers.ts";
import { type Catalog, createCatalog, nearest, resolve } from "./catalog/resolve.ts";
import {
  providerWarnings,
  type SettledProvider,
  settleProviders,
} from "./catalog/settle-providers.ts";
import { starterOf } from "./catalog/starter.ts";
import { FREE, targetOf } from "./catalog/target.ts";
import { upstreamModel } from "./catalog/upstream.ts";
import { prepareWeights } from "./catalog/weights.ts";
import type { Config } from "./config/schema.ts";
import { GatewayError } from "./contract/errors.ts";
import type { Readiness } from "./contract/health.ts";
import { Images } from "./dialects/images.ts";
import { createBackend, type DialectOptions } from "./dialects/index.ts";
import { createLocalBackend, LOCAL_CONTINUATION, type LocalBackend } from "./engines/index.ts";
import { renderChat } from "./engines/render-chat.ts";
import { Admission } from "./gateway/admit.ts";
import { type AuthRules, hashKey } from "./gateway/authenticate.ts";
import { drain } from "./gateway/drain.ts";
import { type Gateway, type ModelIndex, type Routing, stateOf } from "./gateway/gateway.ts";
import { Health } from "./gateway/health.ts";
import { Slots } from "./gateway/slots.ts";
import { listen } from "./http/server.ts";
import { engineInstalled, NO_ENGINE } from "./lib/engine-installed.ts";
import type { Log } from "./lib/log.ts";
import { UserError } from "./lib/user-error.ts";
import { openStore, type Store } from "./store/index.ts";
import type { Backend, Model, Target } from "./types.ts";

/** What clients get at least to read the ends of their answers in, when the server stops. */
const DELIVERY_MS = 1000;
/** How often to look whether a model was pulled meanwhile. */
const AVAILABILITY_MS = 3000;
const IDLE_CONNECTION_S = 120;
const LOCAL_FACTS = { price: FREE, continuation: LOCAL_CONTINUATION };
const OPENAPI = join(import.meta.dir, "..", "openapi.json");

/** A running Covey. */
export interface App {
  readonly url: string;
  readonly gateway: Gateway;
  readonly local: LocalBackend;
  readonly store: Store;
  readonly starter: Model;
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
    const files = loadProviderFiles(providerFolders(config.home));
    const providers = settleProviders(config.providers, files, config.secret);
    for (const warning of providerWarnings(providers)) log.warn(warning);
    const { models, targets } = combine(own, providers);
    const availability = new Availability(own.models, { home: config.home });
    await availability.refresh();
    const starter = starterOf(models, config.models.starter, availability);
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
      models: modelIndex(models, targets),
      admission: new Admission((caller) =>
        caller.role === "anonymous" ? config.limits.anonymous : config.limits.admin,
      ),
      routing: routingOf(config, providers),
      health: new Health({
        failures: config.routing.breakerFailures,
        cooldownMs: config.routing.breakerCooldown,
      }),
      slots: new Slots(concurrencyOf(providers)),
      ledger: store.ledger,
      backends: backends(local, providers, {
        images: new Images(config.images),
        renderChat: rendering(models, targets, new ChatTemplates({ home: config.home }, log)),
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
      readiness: () => readiness(gateway, store),
      calls: {
        getCall: (id) => store.calls.getCall(id),
        spent: (keyId, since) => store.calls.spent(keyId, since),
        caughtUp: (timeoutMs) => store.caughtUp(timeoutMs),
      },
    });
    availability.watch(AVAILABILITY_MS);
    return {
      url: `http://${shownHost(config.server.host)}:${server.port}`,
      gateway,
      local,
      store,
      starter,
      close: async (patienceMs) => {
        availability.stop();
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

/** The catalog's own models and those that providers of the config have; one model can have several targets. */
function combine(
  own: Catalog,
  providers: readonly SettledProvider[],
): { models: Catalog; targets: Map<string, Target[]> } {
  const targets = new Map<string, Target[]>();
  for (const model of own.models) {
    targets.set(model.id, [targetOf(model, "local", model.id, LOCAL_FACTS)]);
  }
  const added: Model[] = [];
  for (const { settings, choice } of providers) {
    for (const entry of choice.models) {
      const known =
        resolve(own, entry.id) ??
        added.find(({ id }) => id.toLowerCase() === entry.id.toLowerCase());
      const model = known ?? upstreamModel(settings.id, entry);
      if (known === undefined) added.push(model);
      const target = targetOf(model, settings.id, entry.upstreamId ?? entry.id);
      targets.set(model.id, [...(targets.get(model.id) ?? []), target]);
    }
  }
  return { models: createCatalog([...own.models, ...added]), targets };
}

function modelIndex(catalog: Catalog, targets: ReadonlyMap<string, Target[]>): ModelIndex {
  return {
    resolve: (name) => resolve(catalog, name),
    nearest: (name) => nearest(catalog, name),
    targets: (model) => targets.get(model.id) ?? [],
    models: () => catalog.models,
  };
}

function backends(
  local: LocalBackend,
  providers: readonly SettledProvider[],
  options: DialectOptions,
): ReadonlyMap<string, Backend> {
  const all = new Map<string, Backend>([[local.id, local]]);
  for (const { settings } of providers) all.set(settings.id, createBackend(settings, options));
  return all;
}

/** Chats as text for the servers that only go on with text; their models' templates are looked up at once. */
function rendering(
  { models }: Catalog,
  targets: ReadonlyMap<string, readonly Target[]>,
  templates: ChatTemplates,
): NonNullable<DialectOptions["renderChat"]> {
  for (const model of models) {
    const all = targets.get(model.id) ?? [];
    const needed = all.some(
      ({ provider, continuation: { completions, prefill } }) =>
        provider !== "local" && completions && !prefill,
    );
    if (needed) void templates.load(model);
  }
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

function authRules(config: Config): AuthRules {
  const { adminKey, allowAnonymous, anonymousHosts } = config.auth;
  return {
    adminKeyHash: adminKey === null ? null : hashKey(adminKey),
    allowAnonymous,
    anonymousHosts: new Set(anonymousHosts.map((host) => host.toLowerCase())),
    origins: new Set(config.server.corsOrigins),
  };
}

/** Ready when calls can be recorded and at least one model can answer. */
function readiness(gateway: Gateway, store: Store): Readiness {
  const models = gateway.models.models().map((model) => {
    const states = gateway.models.targets(model).map((target) => stateOf(gateway, target));
    const best = states.find(({ state }) => state !== "unavailable") ?? states[0];
    return { id: model.id, state: best?.state ?? "unavailable", detail: best?.detail ?? null };
  });
  const { ok, detail, lagBytes } = store.ledger.health();
  const answering = models.some(({ state }) => state !== "unavailable" && state !== "crashed");
  return {
    status: ok && answering ? "ok" : "unavailable",
    timestamp: new Date().toISOString(),
    models,
    store: { ok, detail, lag_bytes: lagBytes },
  };
}

function shownHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
