import { type Aliases, loadAliases } from "../catalog/aliases.ts";
import { catalogFolders, loadCatalog } from "../catalog/load.ts";
import { loadProviderFiles, type ProviderFiles, providerFolders } from "../catalog/providers.ts";
import { type Catalog, createCatalog } from "../catalog/resolve.ts";
import { type SettledProvider, settleProviders } from "../catalog/settle-providers.ts";
import type { Config } from "../config/schema.ts";
import { type AuthRules, hashKey } from "../gateway/authenticate.ts";
import type { GatewayOptions, Routing } from "../gateway/gateway.ts";
import { type Plans, plansOf } from "../gateway/limits/plans.ts";

/**
 * What follows from the config and the files it names, all of it read and checked at once. A reload makes
 * another one and puts it in this one's place; nothing in it ever changes.
 */
export interface Settings {
  readonly config: Config;
  /** The models of model files. */
  readonly catalog: Catalog;
  readonly files: ProviderFiles;
  readonly providers: readonly SettledProvider[];
  readonly aliases: Aliases;
  readonly auth: Omit<AuthRules, "keys">;
  readonly plans: Plans;
  readonly routing: Routing;
  readonly options: GatewayOptions;
  /** Units of each provider that may be taken at once; null is no limit. */
  readonly concurrency: ReadonlyMap<string, number | null>;
}

/**
 * Reads the files. What is as it was in `before` is the same object again, by which everybody can tell what
 * has changed.
 * @throws UserError for a bad file, with the line
 */
export function readSettings(config: Config, before: Settings | null = null): Settings {
  const read = loadCatalog(catalogFolders(config.home, config.models.folders));
  const files = loadProviderFiles(providerFolders(config.home));
  const settled = settleProviders(config.providers, files, config.secret);
  const providers = settled.map((each) => asBefore(each, before?.providers ?? []));
  return {
    config,
    catalog: createCatalog(read.models.map((each) => asBefore(each, before?.catalog.models ?? []))),
    files,
    providers,
    aliases: loadAliases(config.home),
    auth: authRules(config),
    plans: plansOf(config.limits, config.plans),
    routing: routingOf(config, providers),
    options: {
      firstByteDelayMs: config.stream.firstByteDelay,
      lenient: config.api.validation === "lenient",
    },
    concurrency: new Map(providers.map(({ settings }) => [settings.id, settings.concurrency])),
  };
}

function asBefore<T>(each: T, before: readonly T[]): T {
  return before.find((old) => Bun.deepEquals(old, each)) ?? each;
}

/** Everything that must appear in no log line. */
export function secretsOf({ config, providers }: Settings): string[] {
  const { adminKey } = config.auth;
  return [adminKey, config.hub.token, ...providers.flatMap(({ settings }) => settings.keys)].filter(
    (secret) => secret !== null,
  );
}

function authRules(config: Config): Settings["auth"] {
  const { adminKey, allowAnonymous, anonymousHosts } = config.auth;
  return {
    adminKeyHash: adminKey === null ? null : hashKey(adminKey),
    allowAnonymous,
    anonymousHosts: new Set(anonymousHosts.map((host) => host.toLowerCase())),
    origins: new Set(config.server.corsOrigins),
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
