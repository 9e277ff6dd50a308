import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { type ConfigSources, loadConfig, parseConfigFile, refuseKeyless } from "./load.ts";

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(path.join(os.tmpdir(), "covey-config-"));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

const KEY = "k".repeat(16);
const machine = { memory: 10e9, cores: 4 };
const load = (sources: ConfigSources = {}) => loadConfig({ cwd, env: {}, machine, ...sources });
const write = (text: string, name = "covey.toml") => writeFile(path.join(cwd, name), text);

test("without a file the defaults hold", () => {
  const config = load();
  expect(config.server).toEqual({
    host: "127.0.0.1",
    port: 8080,
    maxBody: 32_000_000,
    drainTimeout: 30_000,
    corsOrigins: [],
  });
  expect(config.engine.memoryBudget).toBe(6e9);
  expect(config.engine.threads).toBe(3);
  expect(config.auth.allowAnonymous).toBe(true);
  expect(config.file).toBeNull();
  expect(config.home).toBe(path.join(os.homedir(), ".covey"));
});

test("the command line wins over the environment, which wins over the file", async () => {
  await write('[server]\nport = 1\nhost = "127.0.0.2"\n[hub]\nendpoint = "https://file.example/"');
  expect(load().server).toMatchObject({ port: 1, host: "127.0.0.2" });
  expect(load().hub.endpoint).toBe("https://file.example");
  const env = {
    COVEY_PORT: "2",
    COVEY_HOST: "127.0.0.3",
    COVEY_HOME: "env-home",
    HF_ENDPOINT: "https://env.example/hub/",
    HF_TOKEN: "t",
  };
  expect(load({ env }).server).toMatchObject({ port: 2, host: "127.0.0.3" });
  expect(load({ env }).home).toBe(path.join(cwd, "env-home"));
  expect(load({ env }).hub).toEqual({ endpoint: "https://env.example/hub", token: "t" });
  const flags = { port: "3", host: "localhost", home: "flag-home" };
  expect(load({ env, flags }).server).toMatchObject({ port: 3, host: "localhost" });
  expect(load({ env, flags }).home).toBe(path.join(cwd, "flag-home"));
});

test("a named file must be there; covey.toml need not", async () => {
  expect(() => load({ flags: { config: "mine.toml" } })).toThrow(
    `there is no config file ${cwd}/mine.toml`,
  );
  await write("[server]\nport = 7", "mine.toml");
  expect(load({ flags: { config: "mine.toml" } }).server.port).toBe(7);
  expect(load({ env: { COVEY_CONFIG: "mine.toml" } }).server.port).toBe(7);
});

test("the config cannot be changed, at any depth", () => {
  const config = load();
  expect(Object.isFrozen(config)).toBe(true);
  expect(Object.isFrozen(config.limits.anonymous)).toBe(true);
  expect(Object.isFrozen(config.server.corsOrigins)).toBe(true);
});

test("more threads than there are cores are taken, with a warning", async () => {
  await write("[engine]\nthreads = 4\ncontext_size = 256");
  expect(load()).toMatchObject({ engine: { threads: 4, contextSize: 256 }, warnings: [] });
  await write("[engine]\nthreads = 64");
  expect(load().engine.threads).toBe(64);
  expect(load().warnings).toEqual([
    expect.stringMatching(
      /^covey.toml:2: engine.threads is 64, more than the 4 cores .* "auto" is 3$/,
    ),
  ]);
});

describe("what is wrong in the file is told with its line", () => {
  test.each([
    ["[server]\nprot = 1", 'covey.toml:2: unknown key "prot" in [server]; did you mean "port"?'],
    ["\n[servre]", 'covey.toml:2: unknown key "servre" at the top level; did you mean "server"?'],
    [
      "[limits.anonymous]\nconcurency = 1",
      'covey.toml:2: unknown key "concurency" in [limits.anonymous]; did you mean "concurrency"?',
    ],
    [
      "[engine]\nkeepAlive = 1",
      'covey.toml:2: unknown key "keepAlive" in [engine]; did you mean "keep_alive"?',
    ],
    [
      "[engine]\n\nkeep_alive = '5 parsecs'",
      "covey.toml:3: engine.keep_alive: expected a duration",
    ],
    ["[engine]\nmemory_budget = '110%'", "covey.toml:2: engine.memory_budget: expected a size"],
    ["[engine]\nthreads = 0", "covey.toml:2: engine.threads: Too small: expected number to be >=1"],
    [
      "[engine]\ncontext_size = 10",
      "covey.toml:2: engine.context_size: expected 0, which is the model's own length, or at least 256",
    ],
    ["[server]\nport = '80'", "covey.toml:2: server.port: expected number, received string"],
    ["server = 3", "covey.toml:1: server: expected object, received number"],
    ["[server]\nhost = 'a'\nhost = 'b'", "covey.toml:3: "],
    ["[server]\nport =\n", "covey.toml:2: "],
    [
      "[providers.a]\nbase_url = 'http://x'\n[[providers.a.models]]\nid = 'm'\n[[providers.a.models]]\n",
      "covey.toml:5: providers.a.models[1].id is missing",
    ],
    [
      "[providers.a]\nbase_url = 'ftp://x'\nmodels = [{id = 'm'}]",
      "covey.toml:2: providers.a.base_url: expected an http(s) URL",
    ],
    [
      "[providers.a]\napi_key = 'sk-1'\nbase_url = 'http://x'\nmodels = [{id = 'm'}]",
      'covey.toml:2: unknown key "api_key" in [providers.a]; did you mean "api_key_env"?',
    ],
    [
      "[log]\nkeep_days = '7d'",
      "covey.toml:2: log.keep_days: expected at least 31d, or 0 for ever",
    ],
    [
      "[providers.local]\nbase_url = 'http://x'\nmodels = [{id = 'm'}]",
      "covey.toml:1: providers.local: the id local is taken",
    ],
  ])("%j", (text, message) => expect(() => parseConfigFile(text, "covey.toml")).toThrow(message));
});

test("every problem is told at once, a line each", () => {
  expect(() => parseConfigFile("[server]\nport = 'x'\nhots = 1", "c")).toThrow(
    /^c:2: .*\nc:3: .*$/,
  );
});

test.each(["-1", "65536", "80a", "1e3", " "])("the port %p is refused", (port) => {
  expect(() => load({ flags: { port } })).toThrow("--port: expected a port");
  expect(() => load({ env: { COVEY_PORT: port } })).toThrow("COVEY_PORT: expected a port");
});

describe("who may come in", () => {
  const open = { host: "0.0.0.0" };

  test.each(["127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]"])(
    "%s is this machine only",
    (host) => expect(load({ flags: { host } }).auth.allowAnonymous).toBe(true),
  );

  test.each(["0.0.0.0", "::", "192.168.0.2", "localhost.example.com", "127.0.0.1.example.com"])(
    "%s is refused without a key, and taken with one that was made",
    (host) => {
      const config = load({ flags: { host } });
      expect(config.auth.allowAnonymous).toBe(false);
      expect(() => refuseKeyless(config, false)).toThrow(/there is no key: .*set COVEY_ADMIN_KEY/);
      expect(() => refuseKeyless(config, true)).not.toThrow();
    },
  );

  test("with a key other machines may come, with that key only", () => {
    const { auth } = load({ flags: open, env: { COVEY_ADMIN_KEY: KEY } });
    expect(auth).toMatchObject({ adminKey: KEY, allowAnonymous: false });
  });

  test("allow_anonymous = true opens it on purpose", async () => {
    await write("[auth]\nallow_anonymous = true");
    const config = load({ flags: open });
    expect(config.auth.allowAnonymous).toBe(true);
    expect(() => refuseKeyless(config, false)).not.toThrow();
  });

  test("allow_anonymous = false and no key is refused elsewhere, and not on this machine", async () => {
    await write("[auth]\nallow_anonymous = false");
    expect(() => refuseKeyless(load({ flags: open }), false)).toThrow("there is no key");
    expect(() => refuseKeyless(load(), false)).not.toThrow();
  });

  test.each(["", "short", "k".repeat(15), ` ${KEY}`])(
    "the admin key %j is refused, and never repeated",
    (key) => {
      const attempt = () => load({ env: { COVEY_ADMIN_KEY: key } });
      expect(attempt).toThrow(/the admin key in COVEY_ADMIN_KEY .*at least 16 characters/);
      if (key !== "") expect(attempt).not.toThrow(key);
    },
  );

  test("the key may be in a variable of another name", async () => {
    await write('[auth]\nadmin_key_env = "MY_KEY"');
    expect(load({ env: { MY_KEY: KEY } }).auth.adminKey).toBe(KEY);
  });
});

test("a provider may be no more than named", async () => {
  await write("[providers.featherless]");
  const { providers } = load();
  expect(providers.featherless).toMatchObject({ models: [], priority: 0, weight: 1, prices: {} });
  expect(providers.featherless?.baseUrl).toBeUndefined();
});

test("a provider's options are read, its models' ids as they are", async () => {
  await write(`[providers.my_vllm]
base_url = "http://gpu:8000/v1/"
api_key_env = ["KEY_A", "KEY_B"]
first_token_timeout = "3s"
models = [{ id = "My_Org/m", upstream_id = "u", price = { prompt = 0.2, completion = 0.6 } }]
[providers.my_vllm.prices]
"Some_Org/Model" = { prompt = 1, completion = 2 }
`);
  expect(load().providers).toEqual({
    my_vllm: {
      baseUrl: "http://gpu:8000/v1",
      apiKeyEnv: ["KEY_A", "KEY_B"],
      firstTokenTimeout: 3_000,
      priority: 0,
      weight: 1,
      prices: { "Some_Org/Model": { prompt: 1, completion: 2, request: 0 } },
      models: [
        {
          id: "My_Org/m",
          upstreamId: "u",
          aliases: [],
          price: { prompt: 0.2, completion: 0.6, request: 0 },
        },
      ],
    },
  });
});

test("COVEY_PROVIDERS switches providers on without a file", () => {
  const env = { COVEY_PROVIDERS: "featherless, openrouter" };
  expect(Object.keys(load({ env }).providers)).toEqual(["featherless", "openrouter"]);
  expect(() => load({ env: { COVEY_PROVIDERS: "Feather less" } })).toThrow(
    'COVEY_PROVIDERS: "Feather" cannot be a provider',
  );
});

test("a provider that the file has too stays as the file says", async () => {
  await write("[providers.featherless]\nconcurrency = 4");
  const { providers } = load({ env: { COVEY_PROVIDERS: "featherless" } });
  expect(providers.featherless?.concurrency).toBe(4);
});

test("no secret is printed with the config", () => {
  const config = load({
    env: { FEATHERLESS_API_KEY: "sk-very-secret", COVEY_PROVIDERS: "featherless" },
  });
  expect(config.secret("FEATHERLESS_API_KEY")).toBe("sk-very-secret");
  expect(Bun.inspect(config, { depth: 20 }) + JSON.stringify(config)).not.toContain("very-secret");
});

test("folders of models count from the config file", async () => {
  await write('[models]\nfolders = ["more"]');
  expect(load().models.folders).toEqual([path.join(cwd, "more")]);
});

test("models and providers keep the names that people gave them", async () => {
  await write(
    '[routing]\nstrategy = "cheapest"\nmax_wait = "2s"\n[routing.models."Qwen/Qwen3_32B-Instruct"]\nstrategy = "weighted"\ncontext_fallback = "big_One"\n[routing.models.tiny]',
  );
  expect(load().routing).toEqual({
    strategy: "cheapest",
    attempts: 3,
    budget: 300_000,
    maxWait: 2_000,
    breakerFailures: 5,
    breakerCooldown: 30_000,
    resume: true,
    models: {
      "Qwen/Qwen3_32B-Instruct": { strategy: "weighted", contextFallback: "big_One" },
      tiny: {},
    },
  });
  await write('[routing.models."Qwen/Big_One"]\nstrategi = "weighted"');
  expect(load).toThrow(
    'covey.toml:2: unknown key "strategi" in [routing.models.Qwen/Big_One]; did you mean "strategy"?',
  );
});

describe("patterns of [payloads]", () => {
  test.each([
    ["(?=look)", "look-around"],
    ["a*?", "lazy"],
    ["(a", "not closed"],
    ["(a{400}){400}", "states"],
  ])("%s is refused with its line and the reason", (pattern, reason) => {
    const text = `[payloads]\nmode = "on"\nredact = ['ok', '${pattern}']\n`;
    expect(() => parseConfigFile(text, "covey.toml")).toThrow(/covey\.toml:3: .*can't be used/);
    expect(() => parseConfigFile(text, "covey.toml")).toThrow(reason);
  });

  test("that are too many together are refused too", () => {
    const many = Array.from({ length: 20 }, (_, n) => `'${n}a{400}'`).join(", ");
    expect(() => parseConfigFile(`[payloads]\nredact = [${many}]\n`, "covey.toml")).toThrow(
      "together can't be used",
    );
  });
});

test("what images may have together is no less than what one may have", () => {
  const parse = (text: string) => () => parseConfigFile(`[images]\n${text}\n`, "covey.toml");
  expect(parse('max_bytes = "50MB"')).toThrow("expected no less than max_bytes");
  expect(parse('max_held_bytes = "39MB"')).toThrow(
    "covey.toml:2: images.max_held_bytes: expected no less than max_request_bytes",
  );
  expect(parse("max_pixels = 100_000_001")).toThrow("covey.toml:2");
});
