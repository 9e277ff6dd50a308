import { existsSync, readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { describeIssues, knownKeys } from "../lib/toml-issues.ts";
import { parseToml, TomlError } from "../lib/toml-parse.ts";
import { lineOf } from "../lib/toml-position.ts";
import { UserError } from "../lib/user-error.ts";
import { isLoopback } from "./loopback.ts";
import { defaultThreads, inspectMachine, type Machine } from "./machine.ts";
import { type Config, ConfigFile } from "./schema.ts";

/** What the command line may set; it wins over the environment, which wins over the file. */
export interface ConfigFlags {
  readonly port?: string | undefined;
  readonly host?: string | undefined;
  readonly config?: string | undefined;
  readonly home?: string | undefined;
}

export interface ConfigSources {
  readonly flags?: ConfigFlags;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly machine?: Machine;
}

const camel = (key: string) =>
  key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
const snake = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Tables whose keys are names that people gave, not options. */
const NAMED = ["plans", "providers", "providers.*.prices", "routing.models"].map((path) =>
  path.split("."),
);

const isNamed = (at: readonly (string | number)[]): boolean =>
  NAMED.some(
    (path) =>
      path.length === at.length && path.every((part, depth) => part === "*" || part === at[depth]),
  );

const MARK = " (not snake_case)";

/**
 * The file's keys as the schema has them. A key that is not written in snake_case keeps a mark that
 * no schema key has, so that it is reported as unknown instead of working by accident.
 */
function toSchemaKeys(value: unknown, at: readonly string[] = []): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => toSchemaKeys(item, [...at, "[]"]));
  if (
    typeof value !== "object" ||
    value === null ||
    Object.getPrototypeOf(value) !== Object.prototype
  )
    return value;
  const names = isNamed(at);
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => {
      const name = names ? key : snake(camel(key)) === key ? camel(key) : `${key}${MARK}`;
      return [name, toSchemaKeys(inner, [...at, key])];
    }),
  );
}

function fileOf(flags: ConfigFlags, env: ConfigSources["env"], cwd: string): string | null {
  const named = flags.config ?? (env?.COVEY_CONFIG || undefined);
  if (named === undefined) {
    const usual = path.join(cwd, "covey.toml");
    return existsSync(usual) ? usual : null;
  }
  const file = path.resolve(cwd, named);
  if (!existsSync(file)) throw new UserError(`there is no config file ${file}`);
  return file;
}

/** The parsed file with its defaults; the defaults alone for an empty text. Throws `UserError`, one line a problem. */
export function parseConfigFile(text: string, name: string): ConfigFile {
  let raw: unknown;
  try {
    raw = parseToml(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    throw new UserError(`${name}:${error.line}: ${error.message}`);
  }
  const parsed = ConfigFile.safeParse(toSchemaKeys(raw));
  if (parsed.success) return parsed.data;
  const problems = describeIssues(
    parsed.error.issues,
    name,
    text,
    (at) => knownKeys(ConfigFile, at),
    (key, above) =>
      isNamed(above) ? key : key.endsWith(MARK) ? key.slice(0, -MARK.length) : snake(key),
  );
  throw new UserError(problems.join("\n"));
}

interface ReadConfig {
  readonly parsed: ConfigFile;
  /** Where something is said in the file: `covey.toml:7: `, or nothing where it says nothing. */
  readonly place: (at: readonly string[]) => string;
}

function readConfigFile(file: string | null, cwd: string): ReadConfig {
  if (file === null) return { parsed: parseConfigFile("", "defaults"), place: () => "" };
  const shown = path.relative(cwd, file);
  const name = shown.startsWith("..") ? file : shown;
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UserError(
      `cannot read the config file ${file}: ${error instanceof Error ? error.message : error}`,
    );
  }
  return {
    parsed: parseConfigFile(text, name),
    place: (at) => {
      const line = lineOf(text, at);
      return line === undefined ? "" : `${name}:${line}: `;
    },
  };
}

function portFrom(flags: ConfigFlags, env: ConfigSources["env"]): number | undefined {
  const [name, text] =
    flags.port === undefined ? ["COVEY_PORT", env?.COVEY_PORT] : ["--port", flags.port];
  if (text === undefined || text === "") return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new UserError(`${name}: expected a port from 0 to 65535, got "${text}"`, { exitCode: 2 });
}

/** A shorter key could be guessed at the rate that the gateway answers. */
const SHORTEST_KEY = 16;

function adminKeyFrom(name: string, env: ConfigSources["env"]): string | null {
  const value = env?.[name];
  if (value === undefined) return null;
  if (value.length >= SHORTEST_KEY && value.trim() === value) return value;
  const fault =
    value === ""
      ? "is set but empty"
      : value.trim() === value
        ? `has ${value.length} characters`
        : "begins or ends with white space";
  throw new UserError(
    `the admin key in ${name} ${fault}: give it at least ${SHORTEST_KEY} characters (openssl rand -hex 24 makes a good one), or unset it`,
  );
}

/**
 * Refuses what would serve nobody but look as if it did: an address that other machines reach, closed
 * to anonymous calls, without any key. @param hasKeys whether any was made, as far as is known
 * @throws UserError
 */
export function refuseKeyless({ server: { host }, auth }: Config, hasKeys: boolean): void {
  if (hasKeys || auth.adminKey !== null || auth.allowAnonymous || isLoopback(host)) return;
  throw new UserError(
    `${host} can be reached from other machines and there is no key: make one with covey keys create, set ${auth.adminKeyEnv} to one of at least ${SHORTEST_KEY} characters, or allow_anonymous = true under [auth] to let everyone in`,
  );
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}

/**
 * Reads everything once: command line, environment, file, defaults, in that order of precedence.
 * Throws `UserError` for whatever cannot be understood, or would let strangers in.
 */
export function loadConfig(sources: ConfigSources = {}): Config {
  const { flags = {}, env = process.env, cwd = process.cwd() } = sources;
  const machine = sources.machine ?? inspectMachine();
  const file = fileOf(flags, env, cwd);
  const { parsed, place } = readConfigFile(file, cwd);
  const warnings: string[] = [];

  const host = flags.host ?? (env.COVEY_HOST || parsed.server.host);
  const port = portFrom(flags, env) ?? parsed.server.port;
  const home = path.resolve(
    cwd,
    flags.home ?? (env.COVEY_HOME || path.join(os.homedir(), ".covey")),
  );

  const { defaultPlan } = parsed.limits;
  if (defaultPlan !== "" && parsed.plans[defaultPlan] === undefined)
    throw new UserError(
      `limits.default_plan: there is no plan "${defaultPlan}"; a table [plans.${defaultPlan}] makes one`,
    );

  const adminKey = adminKeyFrom(parsed.auth.adminKeyEnv, env);
  const { allowAnonymous: anonymous } = parsed.auth;
  const allowAnonymous = anonymous === "loopback" ? isLoopback(host) : anonymous;
  const { memoryBudget, threads, ...engine } = parsed.engine;
  const budget =
    "bytes" in memoryBudget
      ? memoryBudget.bytes
      : Math.floor((machine.memory * memoryBudget.percent) / 100);

  if (threads !== "auto" && threads > machine.cores)
    warnings.push(
      `${place(["engine", "threads"])}engine.threads is ${threads}, more than the ${cores(machine)} there are for it: answers may take a hundred times as long. "auto" is ${defaultThreads(machine)}`,
    );

  const providers = { ...parsed.providers };
  for (const id of namesIn(env.COVEY_PROVIDERS))
    if (!Object.hasOwn(providers, id)) providers[id] = providerNamed(id);
  for (const provider of Object.values(providers))
    if (provider.baseUrl !== undefined) provider.baseUrl = provider.baseUrl.replace(/\/+$/, "");

  return deepFreeze({
    ...parsed,
    home,
    file,
    server: { ...parsed.server, host, port },
    auth: { ...parsed.auth, adminKey, allowAnonymous },
    engine: {
      ...engine,
      memoryBudget: budget,
      threads: threads === "auto" ? defaultThreads(machine) : threads,
    },
    models: {
      ...parsed.models,
      folders: parsed.models.folders.map((folder) =>
        path.resolve(file === null ? cwd : path.dirname(file), folder),
      ),
    },
    hub: {
      endpoint: hubEndpoint(env.HF_ENDPOINT || parsed.hub.endpoint),
      token: env[parsed.hub.tokenEnv] || null,
    },
    providers,
    serverSecret: () => env.COVEY_SECRET,
    secret: (name: string) => env[name] || null,
    place,
    warnings,
  });
}

function cores({ cores: count }: Machine): string {
  return count === 1 ? "1 core" : `${count} cores`;
}

/** The parts of a list that commas or spaces separate. */
function namesIn(text: string | undefined): string[] {
  return (text ?? "").split(/[\s,]+/).filter((part) => part !== "");
}

/** A provider that is only named, with all it needs in its file and the environment. */
function providerNamed(id: string): ConfigFile["providers"][string] {
  const parsed = ConfigFile.safeParse({ providers: { [id]: {} } });
  const provider = parsed.data?.providers[id];
  if (provider !== undefined) return provider;
  throw new UserError(
    `COVEY_PROVIDERS: "${id}" cannot be a provider: it is a list of ids such as featherless, openrouter`,
    { exitCode: 2 },
  );
}

function hubEndpoint(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new UserError(`HF_ENDPOINT: expected an http(s) URL, got "${text}"`);
  return url.href.replace(/\/+$/, "");
}
