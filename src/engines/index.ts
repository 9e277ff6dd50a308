import type { Log } from "../lib/log.ts";
import type {
  AttemptContext,
  Backend,
  Model,
  Operation,
  OperationInput,
  Target,
} from "../types.ts";
import type { EngineConfig } from "./engine-config.ts";
import type { EngineId, WeightPaths } from "./kind.ts";
import { ModelPool } from "./pool.ts";
import type { FairQueue } from "./queue.ts";
import { type ServiceParts, serve, unsupportedBy } from "./services.ts";

export type { EngineConfig } from "./engine-config.ts";
export type { WeightPaths } from "./kind.ts";
export { kindOf, requiredBy } from "./kinds.ts";
export { type FoundWeights, type Need, needOf } from "./need.ts";

export interface LocalBackendOptions extends ServiceParts {
  /** The models it may load; `targets` name them by `model.id`. */
  readonly models: readonly Model[];
  /** Puts a model's weights on disk and returns their paths by role; rejects with a `GatewayError`. */
  readonly prepare: (model: Model) => Promise<WeightPaths>;
  readonly config: EngineConfig;
  readonly log: Log;
}

/** One model as an operator wants to see it. */
export interface ModelSnapshot {
  readonly model: string;
  readonly engine: EngineId;
  /** `too_big`: it is here and never fits the memory that there is. */
  readonly state: "cold" | "loading" | "ready" | "draining" | "crashed" | "too_big";
  readonly running: number;
  readonly waiting: number;
  /** Bytes of memory it was given; 0 while it has none. */
  readonly bytes: number;
  /** Tokens of context per request; null while it is not loaded, or where that means nothing. */
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

/** The backend of the models that run on this machine, each in a child process of its own. */
export function createLocalBackend(options: LocalBackendOptions): LocalBackend {
  const pool = new ModelPool(options.models, options.prepare, options.config, options.log);
  const at =
    <O extends Operation>(operation: O) =>
    ({ model }: Target, input: OperationInput[O], context: AttemptContext) =>
      serve(operation)(pool, model.id, input, context, options);
  return {
    id: "local",
    operations: {
      chat: at("chat"),
      completions: at("completions"),
      embeddings: at("embeddings"),
      tokenize: at("tokenize"),
      detokenize: at("detokenize"),
      upscale: at("upscale"),
    },
    state: ({ model }) => pool.stateOf(model.id),
    unsupported: ({ model }, operation, input) =>
      unsupportedBy(model.file.engine, operation, input),
    preload: async (model) => {
      const pooled = pool.of(model);
      const done = pool.hold(pooled);
      try {
        await pooled.host.ensureReady(new AbortController().signal);
      } finally {
        done();
      }
    },
    snapshot: () =>
      [...pool.all].map(({ model, kind, host, queue, longQueue, bytes }) => ({
        model: model.id,
        engine: kind.id,
        state: host.state.name,
        ...countOf(new Set([queue, longQueue])),
        bytes: host.holdsMemory ? bytes : 0,
        contextSize: host.info === null ? null : (kind.contextSize?.(host.info) ?? null),
        pid: host.pid,
      })),
    unloaded: () => pool.evictions,
    offer: (models) => pool.offer(models),
    close: () => pool.close(),
  };
}

function countOf(lines: ReadonlySet<FairQueue>): Pick<ModelSnapshot, "running" | "waiting"> {
  const sum = (count: (line: FairQueue) => number) =>
    [...lines].reduce((total, line) => total + count(line), 0);
  return { running: sum(({ running }) => running), waiting: sum(({ waiting }) => waiting) };
}
