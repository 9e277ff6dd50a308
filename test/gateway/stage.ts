import type { Answer } from "../../src/gateway/answer.ts";
import type { Gateway, Routing } from "../../src/gateway/gateway.ts";
import { type Limiter, type Limits, UNLIMITED } from "../../src/gateway/limits/limits.ts";
import { MemoryLimiter } from "../../src/gateway/limits/memory.ts";
import type { Plan } from "../../src/gateway/limits/plans.ts";
import { answer } from "../../src/gateway/pipeline.ts";
import { Health } from "../../src/gateway/routing/health.ts";
import { Slots } from "../../src/gateway/routing/slots.ts";
import { openAiVoice } from "../../src/gateway/voices/voice.ts";
import { createLog } from "../../src/lib/log.ts";
import type {
  AttemptContext,
  Backend,
  JsonObject,
  Model,
  ModelState,
  Operation,
  Reply,
  SettleRecord,
  StreamEvent,
  Target,
} from "../../src/types.ts";

/**
 * A gateway with its real parts and backends that a test writes: the seam is `Backend`, the gateway's
 * own. What a backend does is a script, one per provider.
 */
export type Script = (asked: Asked) => Promise<Reply> | Reply;

export interface Asked {
  readonly target: Target;
  readonly input: JsonObject;
  readonly context: AttemptContext;
  /** Which attempt at this provider it is, from 1. */
  readonly nth: number;
}

export interface StageOptions {
  /** The model that is asked for, first; each with its targets. */
  readonly models: readonly (readonly [model: Model, targets: readonly Target[]])[];
  readonly scripts: Readonly<Record<string, Script>>;
  readonly rules?: Partial<Routing["rules"]>;
  readonly resume?: boolean;
  readonly breaker?: { readonly failures: number; readonly cooldownMs: number };
  readonly concurrency?: Readonly<Record<string, number>>;
  /** Of anonymous callers. */
  readonly limits?: Partial<Limits>;
  readonly spentNanoUsd?: number;
  /** In place of the one in memory. */
  readonly limiter?: Limiter;
  readonly strategy?: ReturnType<Routing["strategyOf"]>;
  readonly contextFallback?: Readonly<Record<string, string>>;
  readonly state?: (target: Target) => ModelState;
}

export interface Stage {
  readonly gateway: Gateway;
  readonly settled: SettleRecord[];
  /** What each provider was asked, in order. */
  readonly asked: Readonly<Record<string, Asked[]>>;
  readonly logged: readonly string[];
  ask(input?: JsonObject, options?: AskOptions): Promise<Seen>;
  /** Throws while anything is held: a running call, a lease, a place at a provider. */
  expectIdle(): void;
}

export interface AskOptions {
  readonly signal?: AbortSignal;
  readonly headers?: Record<string, string>;
  readonly operation?: Operation;
  /** Called with each piece of a stream. */
  readonly onPiece?: (text: string) => void;
  /** Leaves, as a client's connection does, after so many pieces. */
  readonly leaveAfter?: number;
}

export interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Of a whole answer or of an error. */
  readonly body: JsonObject | null;
  readonly events: readonly StreamEvent[];
  /** What a stream told as its last event when it failed. */
  readonly error: { readonly code: string | null; readonly message: string } | null;
  /** Whether `[DONE]` came. */
  readonly done: boolean;
  readonly record: SettleRecord | null;
}

const READY: ModelState = { state: "ready", detail: null };
const LEASES = 50;

function planWith(limits: Partial<Limits>): Plan {
  const all = { ...UNLIMITED, concurrency: LEASES, ...limits };
  return { name: "stage", limits: all, models: [], modelsAsWritten: [], defaultMaxTokens: 4096 };
}

export function stage(options: StageOptions): Stage {
  const asked: Record<string, Asked[]> = {};
  const backends = new Map<string, Backend>();
  for (const [id, script] of Object.entries(options.scripts)) {
    const seen: Asked[] = [];
    asked[id] = seen;
    const run = async (target: Target, input: JsonObject, context: AttemptContext) => {
      const one = { target, input, context, nth: seen.length + 1 };
      seen.push(one);
      return script(one);
    };
    backends.set(id, {
      id,
      operations: { chat: run, completions: run },
      state: options.state ?? (() => READY),
      unsupported: () => [],
    });
  }
  const byName = new Map(options.models.map(([model]) => [model.id, model]));
  const settled: SettleRecord[] = [];
  const limits = options.concurrency ?? {};
  const plan = planWith(options.limits ?? {});
  const logged: string[] = [];
  const gateway: Gateway = {
    auth: {
      adminKeyHash: null,
      keys: { standing: "none", find: () => null, current: () => null },
      allowAnonymous: true,
      anonymousHosts: new Set(),
      origins: new Set(),
    },
    models: {
      resolve: (name) => byName.get(name),
      nearest: () => [],
      targets: (model) => options.models.find(([{ id }]) => id === model.id)?.[1] ?? [],
      models: () => [...byName.values()],
    },
    plans: { anonymous: plan, admin: plan, named: new Map(), usual: plan },
    limiter:
      options.limiter ??
      new MemoryLimiter({ spent: () => Promise.resolve(options.spentNanoUsd ?? 0) }),
    routing: {
      rules: { attempts: 3, budgetMs: 5000, maxWaitMs: 1000, ...options.rules },
      resume: options.resume ?? true,
      strategyOf: () => options.strategy ?? "priority",
      contextFallback: ({ id }) => options.contextFallback?.[id] ?? null,
      providerNames: (provider) => [provider],
    },
    health: new Health(options.breaker ?? { failures: 0, cooldownMs: 1000 }),
    slots: new Slots((provider) => limits[provider] ?? null),
    ledger: {
      reserve: () => Promise.resolve(),
      settle: (record) => {
        settled.push(record);
        return Promise.resolve();
      },
      refuse: () => undefined,
      health: () => ({ ok: true, detail: null, lagBytes: 0 }),
    },
    backends,
    options: { firstByteDelayMs: 5000, lenient: false },
    log: createLog((line) => logged.push(line), false),
    running: new Set(),
  };
  return {
    gateway,
    settled,
    asked,
    logged,
    ask: (input = {}, how = {}) => ask(gateway, settled, byName, input, how),
    expectIdle: () => expectIdle(gateway, options),
  };
}

async function ask(
  gateway: Gateway,
  settled: readonly SettleRecord[],
  models: ReadonlyMap<string, Model>,
  input: JsonObject,
  { signal, headers = {}, operation = "chat", onPiece, leaveAfter }: AskOptions,
): Promise<Seen> {
  const [model] = models.keys();
  const said = operation === "chat" ? { messages: [{ role: "user", content: "Hi" }] } : {};
  const body = { model, ...said, ...input };
  const answered = await answer(gateway, operation, {
    endpoint: operation === "chat" ? "/v1/chat/completions" : "/v1/completions",
    voice: openAiVoice,
    headers: new Headers({ host: "localhost", ...headers }),
    signal: signal ?? new AbortController().signal,
    body: () => Promise.resolve(body),
  });
  const id = answered.headers["x-covey-call-id"];
  const read = await readAnswer(answered, onPiece, leaveAfter);
  const record = settled.find((each) => each.id === id) ?? null;
  return { status: answered.status, headers: answered.headers, record, ...read };
}

async function readAnswer(
  answered: Answer,
  onPiece: ((text: string) => void) | undefined,
  leaveAfter: number | undefined,
): Promise<Pick<Seen, "body" | "events" | "error" | "done">> {
  if ("pieces" in answered) throw new Error("nobody asked for an image");
  if (!("events" in answered)) {
    return { body: { ...answered.json }, events: [], error: null, done: false };
  }
  const events: StreamEvent[] = [];
  let error: Seen["error"] = null;
  let done = false;
  for (let pieces = 0; ; pieces++) {
    if (pieces === leaveAfter) {
      answered.events.cancel();
      break;
    }
    const text = await answered.events.next();
    if (text === null) break;
    onPiece?.(text);
    for (const line of text.split("\n")) {
      if (!line.startsWith("data: ")) continue;
      if (line === "data: [DONE]") done = true;
      else {
        const event = JSON.parse(line.slice("data: ".length));
        if (event.error === undefined) events.push(event);
        else error = event.error;
      }
    }
  }
  return { body: null, events, error, done };
}

function expectIdle(gateway: Gateway, options: StageOptions): void {
  if (gateway.running.size > 0) throw new Error(`${gateway.running.size} calls run`);
  const now = performance.now();
  for (const { id } of options.models.flatMap(([, targets]) => targets)) {
    const { running } = gateway.health.of(id, now);
    if (running !== 0) throw new Error(`${running} calls run at '${id}'`);
  }
  for (const [provider, units] of Object.entries(options.concurrency ?? {})) {
    const releases = Array.from({ length: units }, () => gateway.slots.take(provider, 1, "test"));
    for (const release of releases) release?.();
    if (releases.includes(null)) throw new Error(`a place at '${provider}' is held`);
  }
  const { leases } = gateway.limiter.state();
  if (leases !== 0) throw new Error(`${leases} leases are held`);
}
