import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import packageFile from "../package.json" with { type: "json" };
import { embedded, LOCAL_FACTS } from "./app/embedded.ts";
import { limiterOf } from "./app/limiter.ts";
import { journalTold, logSettings, observation } from "./app/observe.ts";
import { PlanWatch } from "./app/plan-watch.ts";
import { type Reloaded, Reloader } from "./app/reload.ts";
import { secretsOf } from "./app/secrets.ts";
import { type ResolveName, readSettings, type Settings } from "./app/settings.ts";
import { type Changes, Upstreams } from "./app/upstreams.ts";
import { Availability } from "./catalog/availability.ts";
import { ChatTemplates } from "./catalog/chat-templates.ts";
import { type LiveModels, liveModels } from "./catalog/live-models.ts";
import { routingWarnings } from "./catalog/routing-names.ts";
import {
  faultWarnings,
  providerWarnings,
  type UnusedKey,
  unusedKeys,
} from "./catalog/settle-providers.ts";
import { starterOf } from "./catalog/starter.ts";
import { refuseKeyless } from "./config/load.ts";
import type { Reread } from "./config/reread.ts";
import type { Config } from "./config/schema.ts";
import { databaseUrlOf } from "./config/service-urls.ts";
import type { ReloadReport } from "./contract/admin.ts";
import { Images } from "./dialects/images.ts";
import { createBackend, type DialectOptions } from "./dialects/index.ts";
import type { LocalBackend } from "./engines/index.ts";
import { renderChat } from "./engines/render-chat.ts";
import { drain } from "./gateway/drain.ts";
import { endWithdrawn } from "./gateway/end-withdrawn.ts";
import type { Gateway } from "./gateway/gateway.ts";
import { listingOf } from "./gateway/listing/describe-model.ts";
import { readinessOf } from "./gateway/listing/readiness.ts";
import { searchOf } from "./gateway/listing/search-models.ts";
import type { BreakerRules } from "./gateway/routing/breaker.ts";
import { Health } from "./gateway/routing/health.ts";
import { Slots } from "./gateway/routing/slots.ts";
import { listen } from "./http/server.ts";
import type { Log, SettableLog } from "./lib/log.ts";
import { UserError } from "./lib/user-error.ts";
import {
  type GatewayKeys,
  type Keep,
  openKeys,
  openStore,
  type Store,
  secretFile,
  serverSecret,
} from "./store/index.ts";
import { type PayloadOptions, PayloadStore } from "./store/payloads/client.ts";
import type { Model } from "./types.ts";

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
  { pretty = false, reread = () => ({ config, needRestart: [] }) }: StartOptions = {},
): Promise<App> {
  const store = openStore({
    home: config.home,
    durability: config.journal.durability,
    maxJournalBytes: config.journal.maxBytes,
    databaseUrl: databaseUrlOf(config),
    keep: keepOf(config.log),
    version: packageFile.version,
    found: journalTold(log),
  });
  try {
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
    log.use(logSettings(first, pretty));
    const { catalog, files, providers } = first;
    for (const warning of [...faultWarnings(first.faults), ...providerWarnings(providers)])
      log.warn(warning);
    const observed = observation(
      log,
      () => current.settings,
      (name) => resolveName(name)?.id,
    );
    const models = liveModels({
      own: catalog.models,
      localFacts: LOCAL_FACTS,
      providers,
      aliases: first.aliases,
      home: config.home,
      log,
      prepare: (model, targets) => void searchOf(listingOf(model, targets)),
    });
    named.models = models;
    await models.restore();
    const availability = new Availability(catalog.models, { home: config.home });
    await availability.refresh();
    const starter = starterOf(catalog, config.models.starter, availability);
    const local = embedded(catalog.models, config, availability, log);
    const images = new Images(config.images);
    const templates = new ChatTemplates({ home: config.home }, log);
    const dialects = {
      images,
      renderChat: rendering(catalog.models, templates),
      onRest: observed.rested,
    };
    const upstreams = new Upstreams(local, ({ settings }) =>
      models.offered(createBackend(settings, dialects)),
    );
    upstreams.use(providers);
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
      () => current.settings.plans,
      log,
    );
    const payloads = new PayloadStore(join(config.home, "payloads"), payloadOptions(first));
    const gateway: Gateway = {
      get auth() {
        return { ...current.settings.auth, keys };
      },
      models: models.index,
      get plans() {
        return current.settings.plans;
      },
      limiter,
      get routing() {
        return current.settings.routing;
      },
      health: new Health(() => breakerRules(current.settings), observed.turned),
      slots: new Slots((provider) => current.settings.concurrency.get(provider) ?? null),
      ledger: store.ledger,
      payloads,
      get backends() {
        return upstreams.all;
      },
      get options() {
        return current.settings.options;
      },
      observer: observed.observer,
      log,
      running: new Set(),
    };
    await Promise.race([keys.loaded, Bun.sleep(KEYS_MS)]);
    guardSecret(config, keys, secretIsNew, log);
    guard(config, keys, log);
    const watch = setInterval(() => endWithdrawn(gateway, Date.now()), WITHDRAWN_MS);
    watch.unref();
    const reloader = new Reloader(
      {
        ...{ models, availability, local, upstreams, log, health: gateway.health },
        current: () => current.settings,
        resolveName,
        keyWarnings: () => lostPlans.plansChanged(),
        swap: (next) => {
          current.settings = next;
          log.use(logSettings(next, pretty));
          images.use(next.config.images);
          payloads.configure(payloadOptions(next));
        },
      },
      reread,
    );
    const stopWatching = observed.watch({
      ...{ gateway, local, store, payloads, version: packageFile.version },
      lists: () => models.lists(),
      quotas: () => current.settings.config.payloads,
    });
    const server = listen(gateway, {
      hostname: config.server.host,
      port: config.server.port,
      get maxBodyBytes() {
        return current.settings.config.server.maxBody;
      },
      keepAliveMs: config.stream.keepalive,
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
        metricsArePublic: () => current.settings.config.metrics.public,
        reload: async () => reportOf(await reloader.reload()),
      },
      analytics: { log: store.analytics, payloads, keyName: (id) => keys.nameOf(id) },
      calls: {
        getCall: (id) => store.calls.getCall(id),
        spent: (keyId, since) => store.calls.spent(keyId, since),
        caughtUp: (timeoutMs) => store.caughtUp(timeoutMs),
      },
    });
    availability.watch(AVAILABILITY_MS);
    const discovered = models.start().then(() => {
      const { index } = models;
      for (const warning of routingWarnings(
        config.routing.models,
        index,
        models.lists(),
        config.place,
      ))
        log.warn(warning);
    });
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
      settings: () => current.settings,
      reload: () => reloader.reload(),
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
        stopWatching();
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

/** Whether the home folder's secret is about to be made. */
function lacksSecret(config: Config): boolean {
  return config.serverSecret() === undefined && !existsSync(secretFile(config.home));
}

/** Keys that another secret made open nothing: a lost secret must not be replaced in silence. @throws UserError */
function guardSecret(config: Config, { foreign }: GatewayKeys, isNew: boolean, log: Log): void {
  if (foreign === 0) return;
  if (isNew) {
    rmSync(secretFile(config.home), { force: true });
    throw new UserError(
      `${foreign === 1 ? "1 key was" : `${foreign} keys were`} made with a server secret that is not here: put ${secretFile(config.home)} back, or set COVEY_SECRET to what was in it`,
    );
  }
  log.error("keys were made with another server secret and open nothing", { keys: foreign });
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

/** No key that this process knows is ever part of a kept payload. */
function payloadOptions(settings: Settings): PayloadOptions {
  const { config } = settings;
  const { quota, imageQuota, retention, redact, maxPending, ...rules } = config.payloads;
  return {
    ...rules,
    quotaBytes: quota,
    imageQuotaBytes: imageQuota,
    retentionMs: retention,
    patterns: [...redact],
    secrets: secretsOf(settings),
    maxPendingBytes: maxPending,
  };
}

function breakerRules({ config: { routing } }: Settings): BreakerRules {
  return { failures: routing.breakerFailures, cooldownMs: routing.breakerCooldown };
}

function reportOf({ providers, models, needRestart, warnings }: Reloaded): ReloadReport {
  const plain = ({ added, changed, removed }: Changes) => ({
    added: [...added],
    changed: [...changed],
    removed: [...removed],
  });
  return {
    status: "applied",
    providers: plain(providers),
    models: plain(models),
    need_restart: [...needRestart],
    warnings: [...warnings],
  };
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
