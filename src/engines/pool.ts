import { GatewayError } from "../contract/errors.ts";
import type { Log } from "../lib/log.ts";
import type { Model, ModelState } from "../types.ts";
import type { EngineConfig } from "./engine-config.ts";
import { expired, type LoadedModel, planEviction } from "./evict.ts";
import { EngineHost } from "./host.ts";
import type { EngineKind, Speech, WeightPaths } from "./kind.ts";
import { kindOf } from "./kinds.ts";
import { tooBigError } from "./need.ts";
import { FairQueue } from "./queue.ts";

/** A model's place in the pool. */
export interface PooledModel<S extends Speech = Speech> {
  readonly model: Model;
  readonly kind: EngineKind<S>;
  readonly host: EngineHost<S>;
  readonly queue: FairQueue;
  /** Where requests that take long wait: the same, unless its kind has places for them. */
  readonly longQueue: FairQueue;
  /** Requests that run on it or wait for it. */
  users: number;
  lastUsed: number;
  /** What it takes, or is about to take; 0 while it is not loaded. */
  bytes: number;
  /** How long one answer took lately, in milliseconds. */
  answerMs: number;
}

/** Loads models on demand, keeps them a while, and makes room for others. */
export class ModelPool {
  readonly #models = new Map<string, PooledModel>();
  /** No model of theirs is offered any more; each goes when nobody uses it. */
  readonly #retired = new Set<PooledModel>();
  #evictions = 0;
  readonly #prepare: (model: Model) => Promise<WeightPaths>;
  readonly #config: EngineConfig;
  readonly #log: Log;
  #admission: Promise<unknown> = Promise.resolve();
  #sweeper: Timer | null = null;
  #closed = false;

  constructor(
    models: readonly Model[],
    prepare: (model: Model) => Promise<WeightPaths>,
    config: EngineConfig,
    log: Log,
  ) {
    this.#prepare = prepare;
    this.#config = config;
    this.#log = log;
    for (const model of models) this.#models.set(model.id, this.#pooled(model));
  }

  get all(): Iterable<PooledModel> {
    return this.#models.values();
  }

  /** The model of that id, to be used as one of that kind. @throws GatewayError 400 where it is of another */
  get<S extends Speech>(id: string, kind: EngineKind<S>): PooledModel<S> {
    const pooled = this.of(id);
    if (isOf(pooled, kind)) return pooled;
    throw wrongEndpoint(pooled);
  }

  /** Rejects a model this pool was not made for: the catalog and the pool disagree. */
  of(id: string): PooledModel {
    const pooled = this.#models.get(id);
    if (pooled === undefined)
      throw new GatewayError("model_not_found", `There is no embedded model ${id}.`, {
        param: "model",
      });
    return pooled;
  }

  /** Models that were unloaded to make room, or because nobody used them. */
  get evictions(): number {
    return this.#evictions;
  }

  /**
   * From now on these are the models. One that is as it was stays loaded; requests that run on one that is
   * gone, or is another one now, end on it, and then it is unloaded.
   */
  offer(models: readonly Model[]): void {
    const wanted = new Map(models.map((model) => [model.id, model]));
    for (const [id, pooled] of this.#models) {
      const next = wanted.get(id);
      if (next !== undefined && (next === pooled.model || Bun.deepEquals(next, pooled.model))) {
        wanted.delete(id);
        continue;
      }
      this.#models.delete(id);
      this.#retired.add(pooled);
    }
    for (const [id, model] of wanted) this.#models.set(id, this.#pooled(model));
    this.#sweepRetired();
  }

  /** The model is in use until the returned function is called. */
  hold(pooled: PooledModel): () => void {
    pooled.users++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      pooled.users--;
      pooled.lastUsed = performance.now();
      if (this.#retired.has(pooled)) this.#sweepRetired();
    };
  }

  stateOf(id: string): ModelState {
    const pooled = this.#models.get(id);
    if (pooled === undefined) return { state: "unavailable", detail: "not an embedded model" };
    const { state } = pooled.host;
    switch (state.name) {
      case "ready":
      case "loading":
        return { state: state.name, detail: null };
      case "crashed":
        return { state: "crashed", detail: `failed ${state.failures} times in a row` };
      case "cold":
      case "draining":
        return { state: "loadable", detail: null };
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#sweeper !== null) clearInterval(this.#sweeper);
    await Promise.all([...this.all, ...this.#retired].map(({ host }) => host.unload()));
  }

  #pooled(model: Model): PooledModel {
    const { loadTimeoutMs, maxQueue, livenessMs = LIVENESS_MS } = this.#config;
    const kind = kindOf(model.file);
    const host = new EngineHost<Speech>({
      model,
      kind,
      prepare: () => this.#load(pooled),
      loadTimeoutMs,
      livenessMs,
      log: this.#log,
    });
    const line = (places: number): FairQueue =>
      new FairQueue(
        places,
        maxQueue,
        (waiting) => ((waiting + 1) * pooled.answerMs) / places / 1_000,
        undefined,
        kind.share,
      );
    const queue = line(kind.places(this.#config));
    const pooled: PooledModel = {
      model,
      kind,
      host,
      queue,
      longQueue: kind.longPlaces === undefined ? queue : line(kind.longPlaces),
      users: 0,
      lastUsed: 0,
      bytes: 0,
      answerMs: 5_000,
    };
    return pooled;
  }

  async #load(pooled: PooledModel): Promise<unknown> {
    pooled.bytes = 0;
    if (this.#closed) throw new GatewayError("unavailable", "The server is shutting down.");
    const { model, kind } = pooled;
    const files = await this.#prepare(model);
    const { options, bytes } = await kind.load(model, files, this.#config, this.#log);
    await this.#admit(pooled, bytes);
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
    return options;
  }

  /** One admission at a time, so that two models don't both take the same free memory. */
  #admit(pooled: PooledModel, bytes: number): Promise<void> {
    const admitted = this.#admission.then(() => this.#makeRoom(pooled, bytes));
    this.#admission = admitted.catch(() => null);
    return admitted;
  }

  async #makeRoom(pooled: PooledModel, bytes: number): Promise<void> {
    const { memoryBudget, maxLoaded = 0 } = this.#config;
    while (true) {
      const budget = memoryBudget - this.#retiredBytes();
      const plan = planEviction(this.#loaded(), { bytes, budget, maxLoaded });
      if (bytes > memoryBudget) throw tooBigError(pooled.model.id, bytes, memoryBudget);
      // Beside models that go as soon as nobody uses them it may be too big, and isn't without them.
      if (plan.kind !== "fits")
        throw new GatewayError(
          "overloaded",
          `There is no room for the model ${pooled.model.id} while other models are in use. Try again later.`,
          { retryAfter: 10 },
        );
      // One at a time: while it goes, another one may come into use.
      const [next] = plan.unload;
      if (next === undefined) break;
      await this.#unload(this.of(next), "room for another");
    }
    pooled.bytes = bytes;
  }

  /** What models hold that are in use and not offered any more. */
  #retiredBytes(): number {
    let sum = 0;
    for (const { host, bytes } of this.#retired) if (host.holdsMemory) sum += bytes;
    return sum;
  }

  /** Models that were given memory and have it still. */
  #loaded(): LoadedModel[] {
    const loaded: LoadedModel[] = [];
    for (const { model, host, bytes, users, lastUsed } of this.all)
      if (host.holdsMemory && bytes > 0) loaded.push({ id: model.id, bytes, users, lastUsed });
    return loaded;
  }

  #sweepRetired(): void {
    for (const pooled of this.#retired) {
      if (pooled.users > 0) continue;
      this.#retired.delete(pooled);
      if (!pooled.host.holdsMemory) continue;
      this.#unload(pooled, "no longer in the catalog").catch((error: unknown) =>
        this.#log.error("unloading failed", { model: pooled.model.id, reason: String(error) }),
      );
    }
  }

  async #unload(pooled: PooledModel, reason: string): Promise<void> {
    this.#evictions++;
    this.#log.info("model unloaded", { model: pooled.model.id, reason });
    await pooled.host.unload();
  }

  #sweep(): void {
    const { keepAliveMs } = this.#config;
    if (keepAliveMs === 0) return;
    for (const id of expired(this.#loaded(), keepAliveMs, performance.now()))
      this.#unload(this.of(id), "keep_alive").catch((error: unknown) =>
        this.#log.error("unloading failed", { model: id, reason: String(error) }),
      );
  }
}

const SWEEP_MS = 1_000;
const LIVENESS_MS = 30_000;

function isOf<S extends Speech>(
  pooled: PooledModel,
  kind: EngineKind<S>,
): pooled is PooledModel<S> {
  return pooled.kind === kind;
}

/** Another target of the model may have the operation. */
export function wrongEndpoint({ model, kind }: PooledModel): GatewayError {
  return new GatewayError(
    "invalid_request",
    `The model ${model.id} ${kind.does}: use ${kind.endpoint}.`,
    { param: "model", fault: "unsupported" },
  );
}
