import { z } from "zod";
import { LEVELS } from "../lib/log.ts";
import { Cover } from "../lib/pattern/cover.ts";
import { age, duration, memory, size } from "../lib/units.ts";
import { images } from "./images.ts";
import { limits, plan, planName } from "./limits.ts";

/**
 * The config file, section by section. Keys are written here as the code reads them; in the file
 * they are snake_case (`load.ts` translates). `covey.example.toml` explains every one of them.
 * Durations are milliseconds and sizes bytes once parsed.
 */

const port = z.int().min(0).max(65_535);
const count = z.int().min(0);
const ENV_NAME = "expected the name of an environment variable, not a value";
const envName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, ENV_NAME);
const httpUrl = z.url({
  protocol: /^https?$/,
  error: ({ input }) => (input === undefined ? undefined : "expected an http(s) URL"),
});

/** Paths below it are asked for. */
const baseUrl = httpUrl.refine((url) => {
  const { search = "", hash = "" } = URL.parse(url) ?? {};
  return search + hash === "";
}, "expected a URL without query and fragment; a key belongs in the variable that api_key_env names");

const server = z.strictObject({
  host: z.string().min(1).default("127.0.0.1"),
  port: port.default(8080),
  maxBody: size.prefault("32MB"),
  drainTimeout: duration.prefault("30s"),
  corsOrigins: z.array(z.string().min(1)).default([]),
});

const auth = z.strictObject({
  adminKeyEnv: envName.default("COVEY_ADMIN_KEY"),
  allowAnonymous: z
    .union([z.boolean(), z.literal("loopback")], 'expected true, false or "loopback"')
    .default("loopback"),
  anonymousHosts: z.array(z.string().min(1)).default([]),
});

/** Keys that were made, as the store keeps them. */
const keys = z.strictObject({
  /** How long their database may be silent before this gateway is not ready. */
  staleAfter: duration.prefault("5m"),
  /** Whether calls with a key are refused from then on. */
  refuseStale: z.boolean().default(false),
});

/** A chat's template, a question and an answer of some lines. */
const LEAST_CONTEXT = 256;

const engine = z.strictObject({
  memoryBudget: memory.prefault("60%"),
  keepAlive: duration.prefault("30m"),
  threads: z
    .union([z.int().min(1).max(1_024), z.literal("auto")], 'expected "auto" or 1 to 1024 threads')
    .default("auto"),
  sequences: z.int().min(1).max(256).default(4),
  /** Whether prompts of one key may go on from another's, which tells how much they have in common. */
  sharedPrefixes: z.boolean().default(false),
  loadTimeout: duration.prefault("60s"),
  maxQueue: count.default(64),
  maxLoaded: count.default(0),
  contextSize: count
    .refine(
      (tokens) => tokens === 0 || tokens >= LEAST_CONTEXT,
      `expected 0, which is the model's own length, or at least ${LEAST_CONTEXT} tokens`,
    )
    .default(0),
  /** Tokens of a prompt that are evaluated in one go, at most. */
  batchSize: z
    .union([z.int().min(64).max(4_096), z.literal("auto")], 'expected "auto" or 64 to 4096 tokens')
    .default("auto"),
  /** How the key-value cache holds its numbers. */
  kvType: z.enum(["auto", "f16", "q8_0", "q4_0"]).default("auto"),
  preload: z.boolean().default(true),
});

const strategy = z.enum(["priority", "weighted", "least-latency", "cheapest", "round-robin"]);

/** How a call finds its target, and what happens when one fails. */
const routing = z.strictObject({
  /** The order in which a model's targets are tried. */
  strategy: strategy.default("priority"),
  /** Most attempts one call may make, the first one included. */
  attempts: z.int().min(1).max(20).default(3),
  /** How long after its start a call may begin another attempt. */
  budget: duration.prefault("5m"),
  /** The longest single wait before another attempt; a longer `Retry-After` is the caller's to wait out. */
  maxWait: duration.prefault("5s"),
  /** A target that fails so often in a row is not asked; 0 switches that off. */
  breakerFailures: count.default(5),
  /** How long it is not asked before one call tries it again. */
  breakerCooldown: duration.prefault("30s"),
  /** Whether an answer that breaks off is gone on with by another target. */
  resume: z.boolean().default(true),
  /** By any of the model's names. */
  models: z
    .record(
      z.string().min(1),
      z.strictObject({
        strategy: strategy.optional(),
        /** The model that a request goes to which is too long for this one. */
        contextFallback: z.string().min(1).optional(),
      }),
    )
    .default({}),
});

const dollars = z.number().min(0);

/** US dollars per million tokens; `request` and `image` are dollars a request, and an image made. */
const price = z.strictObject({
  prompt: dollars,
  /** Tokens of the prompt that came from a cache; without it, as any other. */
  cached: dollars.optional(),
  completion: dollars,
  request: dollars.default(0),
  image: dollars.optional(),
});

const LONGEST_BUDGET_MS = 31 * 24 * 60 * 60_000;
const priority = z.int().min(-1_000).max(1_000);
const weight = z.number().positive().max(1_000_000);
const modalities = z.array(z.enum(["text", "image", "audio", "video", "file"])).min(1);

const providerModel = z.strictObject({
  id: z.string().min(1),
  upstreamId: z.string().min(1).optional(),
  aliases: z.array(z.string().min(1)).default([]),
  contextLength: z.int().min(1).optional(),
  maxOutput: z.int().min(1).optional(),
  priority: priority.optional(),
  weight: weight.optional(),
  price: price.optional(),
  /** `tool_use`, `json_schema`, … */
  features: z.array(z.string().min(1)).optional(),
  modalities: z
    .strictObject({ input: modalities.default(["text"]), output: modalities.default(["text"]) })
    .optional(),
});

/** What is left out is as the provider's file says. */
const provider = z.strictObject({
  /** Id of a provider file; without it the provider's own id, if there is such a file. */
  type: z.string().min(1).optional(),
  baseUrl: baseUrl.optional(),
  apiKeyEnv: z.union([envName, z.array(envName).min(1)], ENV_NAME).optional(),
  models: z.array(providerModel).default([]),
  discover: z.boolean().optional(),
  priority: priority.default(0),
  weight: weight.default(1),
  concurrency: count.optional(),
  /** `engine`: sampling that nobody decides is left to its own defaults. */
  samplingDefaults: z.enum(["openai", "engine"]).optional(),
  /** What all its models can do, besides what its list says of each. */
  features: z.array(z.string().min(1)).optional(),
  /** Of all its models, where neither `prices`, the model nor its list says otherwise. */
  price: price.optional(),
  /** By the model's id there. */
  prices: z.record(z.string().min(1), price).default({}),
  connectTimeout: duration.optional(),
  firstByteTimeout: duration.optional(),
  firstTokenTimeout: duration.optional(),
  gapTimeout: duration.optional(),
  answerTimeout: duration.optional(),
});

const providerId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]*$/, "a provider's id is lower-case letters, digits, - and _")
  .refine((id) => id !== "local", "the id local is taken by the embedded engines");

/** Texts that must not be kept, in the syntax of `lib/pattern`; together they are one automaton, so of a bounded size. */
const pattern = z
  .string()
  .min(1)
  .max(1_000)
  .check((context) => refusePatterns([context.value], context));
const patterns = z
  .array(pattern)
  .max(200)
  .check((context) => refusePatterns(context.value, context));

function refusePatterns<T>(sources: readonly string[], context: z.core.ParsePayload<T>): void {
  try {
    new Cover(sources);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `${sources.length === 1 ? "this pattern" : "these patterns together"} can't be used: ${reason}`;
    context.issues.push({ code: "custom", message, input: context.value });
  }
}

/** Whether and how long what calls asked and were answered is kept. */
const payloads = z.strictObject({
  mode: z.enum(["off", "sampled", "on"]).default("off"),
  /** The share of calls that `sampled` keeps. */
  sampleRate: z.number().min(0).max(1).default(0.01),
  /** Of one request or answer; the rest is cut. */
  maxBytes: size.prefault("1MB"),
  quota: size.prefault("1GB"),
  imageQuota: size.prefault("1GB"),
  /** 0 is for ever. */
  retention: age.prefault("7d"),
  redact: patterns.default([]),
  /** What may be on its way to the disk; past that payloads are dropped. */
  maxPending: size.prefault("64MB"),
});

/** What the process tells on standard error. */
const logging = z.strictObject({
  /** `auto`: words at a terminal, JSON otherwise. */
  format: z.enum(["auto", "text", "json"]).default("auto"),
  level: z.enum(LEVELS).default("info"),
  /** The level at which each call that has ended is told. */
  calls: z.enum(["debug", "info"]).default("debug"),
});

const metrics = z.strictObject({
  /** Without the admin key: for whoever reaches the port. */
  public: z.boolean().default(false),
});

export const ConfigFile = z.strictObject({
  server: server.prefault({}),
  auth: auth.prefault({}),
  keys: keys.prefault({}),
  limits: limits.prefault({}),
  plans: z.record(planName, plan).default({}),
  journal: z
    .strictObject({
      durability: z.enum(["process", "power"]).default("process"),
      /** What may wait for the database before calls are refused; 0 is no limit. */
      maxBytes: size.prefault("4GB"),
    })
    .prefault({}),
  /** How much of the call log stays in the database. */
  log: z
    .strictObject({
      keepCalls: age.prefault("30d"),
      /** Of the database; past it the oldest calls go. */
      maxBytes: size.prefault("20GB"),
      /** Rows of refused calls, the newest. */
      keepRefused: count.default(100_000),
      keepMinutes: age.prefault("2d"),
      keepHours: age.prefault("90d"),
      /** What was spent of a budget is read from them when a gateway starts, a month's too. */
      keepDays: age
        .refine((ms) => ms === 0 || ms >= LONGEST_BUDGET_MS, "expected at least 31d, or 0 for ever")
        .prefault(0),
    })
    .prefault({}),
  engine: engine.prefault({}),
  stream: z
    .strictObject({
      firstByteDelay: duration.prefault("5s"),
      keepalive: duration.prefault("15s"),
    })
    .prefault({}),
  payloads: payloads.prefault({}),
  api: z.strictObject({ validation: z.enum(["strict", "lenient"]).default("strict") }).prefault({}),
  images: images.prefault({}),
  models: z
    .strictObject({
      /** More folders of model files, after the project's and the home folder's own. */
      folders: z.array(z.string().min(1)).default([]),
      /** The model that `engine.preload` loads. */
      starter: z.string().min(1).default("tinyllama"),
    })
    .prefault({}),
  hub: z
    .strictObject({
      endpoint: httpUrl.default("https://huggingface.co"),
      tokenEnv: envName.default("HF_TOKEN"),
    })
    .prefault({}),
  logging: logging.prefault({}),
  metrics: metrics.prefault({}),
  routing: routing.prefault({}),
  providers: z.record(providerId, provider).default({}),
});
export type ConfigFile = z.infer<typeof ConfigFile>;

type DeepReadonly<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends (infer Item)[]
    ? readonly DeepReadonly<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
      : T;

/** What the process runs with: the file, the environment and the command line, decided and frozen. */
export type Config = DeepReadonly<
  Omit<ConfigFile, "auth" | "engine" | "hub"> & {
    /** Folder of everything Covey writes: database, journal, weights. */
    home: string;
    /** The file that was read, or null when there is none. */
    file: string | null;
    auth: {
      adminKeyEnv: string;
      /** Value of the variable that `adminKeyEnv` names; null when it is not set. A secret. */
      adminKey: string | null;
      allowAnonymous: boolean;
      anonymousHosts: string[];
    };
    engine: Omit<ConfigFile["engine"], "memoryBudget" | "threads"> & {
      /** Bytes that all loaded models together may take. */
      memoryBudget: number;
      threads: number;
    };
    hub: {
      /** Without a slash at the end. */
      endpoint: string;
      /** A secret; sent to the endpoint's own origin only. */
      token: string | null;
    };
    /**
     * Value of COVEY_SECRET as it stands in the environment; undefined when it is not set. A secret,
     * so a function.
     */
    serverSecret: () => string | undefined;
    /**
     * Reads one variable of the environment that the config was loaded from; null when it is not set
     * or empty. A function, so that no value can be printed with the config.
     */
    secret: (name: string) => string | null;
    /** Where the file says something, by its keys in the file: `covey.toml:7: `, or nothing. */
    place: (at: readonly string[]) => string;
    /** Things worth telling at start that are no reason to stop. */
    warnings: string[];
  }
>;

/** One `[providers.<id>]` of the config. */
export type ProviderConfig = Config["providers"][string];
