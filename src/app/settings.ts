import { type Aliases, loadAliases } from "../catalog/aliases.ts";
import { catalogFolders, loadCatalog, type Replaced } from "../catalog/load.ts";
import { type ProviderFiles, readProviderFiles } from "../catalog/providers.ts";
import { type Catalog, createCatalog } from "../catalog/resolve.ts";
import { type SettledProvider, settleProviders } from "../catalog/settle-providers.ts";
import type { Config } from "../config/schema.ts";
import { type AuthRules, hashKey } from "../gateway/authenticate.ts";
import type { GatewayOptions, Routing } from "../gateway/gateway.ts";
import { type Plans, plansOf } from "../gateway/limits/plans.ts";
import type { Log } from "../lib/log.ts";
import type { Model } from "../types.ts";
import { lastingSecretsOf } from "./secrets.ts";

/**
 * What follows from the config and the files it names, all of it read and checked at once. A reload makes
 * another one and puts it in this one's place; nothing in it ever changes.
 */
export interface Settings {
  readonly config: Config;
  /** The models of model files. */
  readonly catalog: Catalog;
  /** Files of the user's that stand for ones that ship. */
  readonly replaced: readonly Replaced[];
  readonly files: ProviderFiles;
  /** What is wrong with provider files that nobody needs. */
  readonly faults: ReturnType<typeof readProviderFiles>["faults"];
  readonly providers: readonly SettledProvider[];
  readonly aliases: Aliases;
  readonly auth: Omit<AuthRules, "keys">;
  readonly plans: Plans;
  readonly routing: Routing;
  readonly options: GatewayOptions;
  /** Units of each provider that may be taken at once; null is no limit. */
  readonly concurrency: ReadonlyMap<string, number | null>;
  /** Those of what can't change while the process runs. */
  readonly lastingSecrets: readonly string[];
}

/** The model of a name now; the lists of providers may change it. */
export type ResolveName = (name: string) => Model | undefined;

/**
 * Reads the files. What is as it was in `before` is the same object again, by which everybody can tell what
 * has changed.
 * @throws UserError for a bad file, with the line
 */
export function readSettings(
  config: Config,
  resolveName: ResolveName,
  before: Settings | null = null,
): Settings {
  const read = loadCatalog(catalogFolders(config.home, config.models.folders));
  const { files, faults } = readProviderFiles(config.home);
  const { place } = config;
  const settled = settleProviders(config.providers, files, config.secret, { faults, place });
  const providers = settled.map((each) => asBefore(each, before?.providers ?? []));
  return {
    config,
    catalog: createCatalog(read.models.map((each) => asBefore(each, before?.catalog.models ?? []))),
    replaced: read.replaced,
    files,
    faults,
    providers,
    aliases: loadAliases(config.home),
    auth: authRules(config),
    plans: plansOf(config.limits, config.plans),
    routing: routingOf(config, providers, resolveName),
    options: {
      firstByteDelayMs: config.stream.firstByteDelay,
      lenient: config.api.validation === "lenient",
    },
    concurrency: new Map(providers.map(({ settings }) => [settings.id, settings.concurrency])),
    lastingSecrets: before?.lastingSecrets ?? lastingSecretsOf(config),
  };
}

/** Nobody should wonder why a model that ships is another one here. */
export function logReplaced(replaced: readonly Replaced[], log: Pick<Log, "info">): void {
  for (const { id, file } of replaced)
    log.info("a model file replaces the one that ships", { model: id, file });
}

function asBefore<T>(each: T, before: readonly T[]): T {
  return before.find((old) => Bun.deepEquals(old, each)) ?? each;
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

function routingOf(
  config: Config,
  providers: readonly SettledProvider[],
  resolveName: ResolveName,
): Routing {
  const { attempts, budget, maxWait, resume, strategy, models } = config.routing;
  const rules = Object.entries(models);
  // By any of its names; which those are may change with the lists.
  const rulesOf = (model: Model) => rules.find(([name]) => resolveName(name)?.id === model.id)?.[1];
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
