import type { Log } from "../lib/log.ts";
import type { Backend, Continuation, Model } from "../types.ts";
import { chat } from "./chat.ts";
import { completions } from "./completions.ts";
import { LOCAL_PARAMETERS, unsupportedNames } from "./parameters.ts";
import { type EngineConfig, ModelPool } from "./pool.ts";
import { detokenize, tokenize } from "./tokenize.ts";

export type { EngineConfig } from "./pool.ts";
export { LOCAL_PARAMETERS };

export interface LocalBackendOptions {
  /** The models it may load; `targets` name them by `model.id`. */
  readonly models: readonly Model[];
  /** Puts a model's weights on disk and returns their path; rejects with a `GatewayError`. */
  readonly prepare: (model: Model) => Promise<string>;
  readonly config: EngineConfig;
  readonly log: Log;
}

/** One model as an operator wants to see it. */
export interface ModelSnapshot {
  readonly model: string;
  readonly state: "cold" | "loading" | "ready" | "draining" | "crashed";
  readonly running: number;
  readonly waiting: number;
  /** Bytes of memory it was given; 0 while it has none. */
  readonly bytes: number;
  /** Tokens of context per request; null while it is not loaded. */
  readonly contextSize: number | null;
  readonly pid: number | null;
}

export interface LocalBackend extends Backend {
  /** Loads a model before anyone asks for it. Rejects as a request would. */
  preload(model: string): Promise<void>;
  snapshot(): readonly ModelSnapshot[];
  /** Models that were unloaded so far. */
  unloaded(): number;
  /** From now on these are the models; what runs on others ends first. */
  offer(models: readonly Model[]): void;
}

/** An answer begun elsewhere goes on exactly where its text was cut. */
export const LOCAL_CONTINUATION: Continuation = {
  prefill: true,
  completions: true,
  exact: true,
  guided: false,
};

/** The backend of the models that run on this machine, each in a child process of its own. */
export function createLocalBackend(options: LocalBackendOptions): LocalBackend {
  const pool = new ModelPool(options.models, options.prepare, options.config, options.log);
  return {
    id: "local",
    operations: {
      chat: async ({ model }, input, context) =>
        chat(pool, pool.get(model.id), input, context, randomSeed()),
      completions: async ({ model }, input, context) =>
        completions(pool, pool.get(model.id), input, context, randomSeed()),
      tokenize: async ({ model }, input, context) =>
        tokenize(pool, pool.get(model.id), input, context),
      detokenize: async ({ model }, input, context) =>
        detokenize(pool, pool.get(model.id), input, context),
    },
    state: ({ model }) => pool.stateOf(model.id),
    unsupported: (_target, operation, input) =>
      operation === "chat" || operation === "completions" ? unsupportedNames(input) : [],
    preload: async (model) => {
      const pooled = pool.get(model);
      const done = pool.hold(pooled);
      try {
        await pooled.host.ensureReady(new AbortController().signal);
      } finally {
        done();
      }
    },
    snapshot: () =>
      [...pool.all].map(({ model, host, queue, bytes }) => ({
        model: model.id,
        state: host.state.name,
        running: queue.running,
        waiting: queue.waiting,
        bytes: host.holdsMemory ? bytes : 0,
        contextSize: host.info?.contextSize ?? null,
        pid: host.pid,
      })),
    unloaded: () => pool.evictions,
    offer: (models) => pool.offer(models),
    close: () => pool.close(),
  };
}

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}
