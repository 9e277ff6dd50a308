import { type ConfigSources, loadConfig } from "./load.ts";
import type { Config } from "./schema.ts";

/** The config read again, for a process that runs. */
export interface Reread {
  readonly config: Config;
  /** Options that differ from those it was started with and can't change while it runs: `server.port`. */
  readonly needRestart: readonly string[];
}

/** Options that can change while the process runs. What is not named here can't. */
const APPLIED: ReadonlySet<string> = new Set([
  "server.maxBody",
  "server.corsOrigins",
  "server.drainTimeout",
  "auth",
  "limits.defaultPlan",
  "limits.defaultMaxTokens",
  "limits.anonymous",
  "limits.admin",
  "plans",
  "payloads",
  "logging",
  "metrics",
  "stream.firstByteDelay",
  "api",
  "images.allowHosts",
  "models.folders",
  "routing",
  "providers",
  // These two are no options.
  "file",
  "warnings",
]);

/** Variables of the environment that are read at start only. */
const VARIABLES = ["DATABASE_URL", "REDIS_URL", "COVEY_SECRET"];

/**
 * Reads the config again. Address and home stay those that are in use, so that what follows from them, such
 * as who may call without a key, is never decided for another address.
 * @throws UserError as `loadConfig` does
 */
export function rereadConfig(sources: ConfigSources, started: Config): Reread {
  const asked = loadConfig(sources);
  const { host, port } = started.server;
  const flags = { ...sources.flags, host, port: String(port), home: started.home };
  return { config: loadConfig({ ...sources, flags }), needRestart: needRestart(started, asked) };
}

/** Pure. Names are written as in the file. */
export function needRestart(started: Config, asked: Config): string[] {
  const names: string[] = [];
  for (const [section, value] of Object.entries<unknown>(asked)) {
    if (APPLIED.has(section) || typeof value === "function") continue;
    const before: unknown = Reflect.get(started, section);
    if (typeof value !== "object" || value === null) {
      if (before !== value) names.push(section);
      continue;
    }
    for (const [key, inner] of Object.entries<unknown>({ ...value })) {
      const old: unknown =
        typeof before === "object" && before !== null && Reflect.get(before, key);
      if (APPLIED.has(`${section}.${key}`) || Bun.deepEquals(old, inner)) continue;
      names.push(`${section}.${key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`);
    }
  }
  for (const name of VARIABLES) if (started.secret(name) !== asked.secret(name)) names.push(name);
  return names;
}
