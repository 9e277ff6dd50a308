import { stat } from "node:fs/promises";
import { GatewayError } from "../contract/errors.ts";
import { batchFor, type KvType, memoryFor } from "../lib/footprint.ts";
import type { Log } from "../lib/log.ts";
import type { Model, ModelState } from "../types.ts";
import { expired, type LoadedModel, planEviction } from "./evict.ts";
import { ModelHost } from "./host.ts";
import type { LoadOptions } from "./protocol.ts";
import { FairQueue } from "./queue.ts";

/** How the embedded engine runs. Sizes are bytes, durations milliseconds. */
export interface EngineConfig {
  /** Threads of one model; more than there are cores makes it a hundred times slower. */
  readonly threads: number;
  /** Requests that one model answers at once. */
  readonly sequences: number;
  /** What all loaded models may take together. */
  readonly memoryBudget: number;
  /** A model that nobody used for so long is unloaded; 0 keeps it. */
  readonly keepAliveMs: number;
  readonly loadTimeoutMs: number;
  /** Requests that may wait for one model. */
  readonly maxQueue: number;
  /** Most tokens of context per request; 0 is the model's own length. */
  readonly contextSize: number;
  /** Tokens of a prompt that are evaluated in one go, at most; by the machine if unset. */
  readonly batchSize?: number | "auto";
  readonly kvType?: KvType | "auto";
  /** Most models loaded at once; 0 is as many as fit. */
  readonly maxLoaded?: number;
  readonly gpu?: boolean;
  /** Without a sign of life for so long, a child process that has work is given up; 30 s if unset. */
  readonly livenessMs?: number;
}

/** A model's place in the pool. */
export interface PooledModel {
  readonly model: Model;
  readonly host: ModelHost;
  readonly queue: FairQueue;
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
  readonly #prepare: (model: Model) => Promise<string>;
  readonly #config: EngineConfig;
  readonly #log: Log;
  #admission: Promise<unknown> = Promise.resolve();
  #sweeper: Timer | null = null;
  #closed = false;

  constructor(
    models: readonly Model[],
    prepare: (model: Model) => Promise<string>,
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

  /** Rejects a model this pool was not made for: the catalog and the pool disagree. */
  get(id: string): PooledModel {
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
    const { loadTimeoutMs, sequences, maxQueue, livenessMs = LIVENESS_MS } = this.#config;
    const host = new ModelHost({
      model: model.id,
      prepare: () => this.#load(pooled),
      loadTimeoutMs,
      livenessMs,
      log: this.#log,
    });
    const wait = (waiting: number) => ((waiting + 1) * pooled.answerMs) / sequences / 1_000;
    const queue = new FairQueue(sequences, maxQueue, wait);
    const pooled: PooledModel = {
      model,
      host,
      queue,
      users: 0,
      lastUsed: 0,
      bytes: 0,
      answerMs: 5_000,
    };
    return pooled;
  }

  async #load(pooled: PooledModel): Promise<LoadOptions> {
    pooled.bytes = 0;
    if (this.#closed) throw new GatewayError("unavailable", "The server is shutting down.");
    const path = await this.#prepare(pooled.model);
    const { size } = await stat(path);
    const { sequences, threads, memoryBudget, gpu = false } = this.#config;
    const { batchSize = "auto", kvType = "auto" } = this.#config;
    const { file } = pooled.model;
    const wanted = Math.min(this.#config.contextSize || file.context_length, file.context_length);
    const kvBytesPerToken = file.kv_bytes_per_token ?? null;
    const need = memoryFor(
      { weights: size, kvBytesPerToken, sequences, contextSize: wanted },
      memoryBudget,
      kvType,
    );
    if (need.contextSize < wanted)
      this.#log.warn("context made smaller to fit the memory budget", {
        model: pooled.model.id,
        context: need.contextSize,
        wanted,
      });
    await this.#admit(pooled, need.bytes);
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
    return {
      path,
      contextSize: need.contextSize,
      sequences,
      threads,
      batchSize: batchSize === "auto" ? batchFor(threads, gpu) : batchSize,
      kvType: need.kvType,
      gpu,
      template: file.template ?? null,
      thinking: file.reasoning ?? null,
    };
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
      if (plan.kind === "too-big")
        throw new GatewayError(
          "unavailable",
          `The model ${pooled.model.id} needs ${gigabytes(bytes)} of memory and the budget is ${gigabytes(memoryBudget)} (engine.memory_budget).`,
        );
      if (plan.kind === "busy")
        throw new GatewayError(
          "overloaded",
          `There is no room for the model ${pooled.model.id} while other models are in use. Try again later.`,
          { retryAfter: 10 },
        );
      // One at a time: while it goes, another one may come into use.
      const [next] = plan.unload;
      if (next === undefined) break;
      await this.#unload(this.get(next), "room for another");
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
      this.#unload(this.get(id), "keep_alive").catch((error: unknown) =>
        this.#log.error("unloading failed", { model: id, reason: String(error) }),
      );
  }
}

const SWEEP_MS = 1_000;
const LIVENESS_MS = 30_000;

function gigabytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
