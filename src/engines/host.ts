import { type ErrorName, type Fault, GatewayError } from "../contract/errors.ts";
import type { Log } from "../lib/log.ts";
import type { Model } from "../types.ts";
import { Asked } from "./asked.ts";
import { EngineProcess } from "./child-process.ts";
import { type FailedEvent, type FromChild, isFailed, type Told } from "./frame.ts";
import { COLD, type HostEvent, type HostState, transition } from "./host-state.ts";
import type { EngineKind, Speech } from "./kind.ts";
import { Liveness } from "./liveness.ts";
import { Settling } from "./settling.ts";

export interface HostOptions<S extends Speech> {
  readonly model: Model;
  readonly kind: EngineKind<S>;
  /** Brings the weights to disk and makes room in memory; rejects when the model can't be loaded. */
  readonly prepare: () => Promise<S["load"]>;
  /** Milliseconds a caller waits for the model to load. */
  readonly loadTimeoutMs: number;
  /** Milliseconds without a sign of life after which a child that has work is given up. */
  readonly livenessMs: number;
  /** Milliseconds that a cancelled request may keep a child that has nothing else to do; 10 s if unset. */
  readonly settleMs?: number | undefined;
  readonly log: Log;
}

/** How often silence is looked at while it is waited for. */
const LOOKS = 6;
/** What a model that finds no room is refused with. */
const NO_ROOM: ReadonlySet<ErrorName> = new Set<ErrorName>(["overloaded", "model_too_big"]);
/** A load may bring nothing forth for so many times as long as a caller waits for it. */
const LOAD_PATIENCE = 2;
const SETTLE_MS = 10_000;
/** So many times as long where others would lose what they have of it. */
const OTHERS_PATIENCE = 12;

/**
 * One model and its child process. Callers say `ensureReady` and then use it; loading, crashes,
 * back-off and restarts are behind it.
 */
export class EngineHost<S extends Speech> {
  readonly #options: HostOptions<S>;
  readonly #answers = new Map<number, Asked<S["event"]>>();
  readonly #settling: Settling;
  #state: HostState = COLD;
  #child: EngineProcess<S> | null = null;
  #liveness: Liveness | null = null;
  #info: S["info"] | null = null;
  #failure: GatewayError | null = null;
  #nextId = 1;
  #loadingSince = 0;
  /** Resolved and replaced at every change of state. */
  #changed = Promise.withResolvers<void>();

  constructor(options: HostOptions<S>) {
    this.#options = options;
    this.#settling = new Settling(options.settleMs ?? SETTLE_MS, (ms) => this.#overdue(ms));
  }

  get state(): HostState {
    return this.#state;
  }

  /** Whether its process has, or is about to have, the weights in memory. */
  get holdsMemory(): boolean {
    return this.#state.name !== "cold" && this.#state.name !== "crashed";
  }

  /** Process id of the child, while there is one. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Known while the model is ready. */
  get info(): S["info"] | null {
    return this.#info;
  }

  /**
   * Resolves when the model can be used, loading it if need be. Rejects with `model_loading` when
   * that takes too long (it goes on loading) or a crash is being backed off, with the reason when
   * it can't be loaded, and with `client_closed` when `signal` aborts.
   */
  async ensureReady(signal: AbortSignal): Promise<S["info"]> {
    const deadline = performance.now() + this.#options.loadTimeoutMs;
    let state = this.#apply("needed");
    if (state.name === "crashed") throw this.#backingOff(state.retryAt);
    while (true) {
      if (signal.aborted) throw cancelled();
      if (state.name === "ready" && this.#info !== null) return this.#info;
      if (state.name === "crashed") throw this.#failure ?? this.#couldNotLoad(null);
      const left = deadline - performance.now();
      if (left <= 0) throw this.#stillLoading();
      await this.#change(signal, left);
      if (this.#state.name === "cold" && this.#failure !== null) throw this.#failure;
      state = this.#state.name === "cold" ? this.#apply("needed") : this.#state;
    }
  }

  /**
   * Has the child do something. `ensureReady` first. What it tells comes in groups, the last event at
   * the end; a failure is thrown from the iterator. Reading stops at once when `signal` aborts; the child
   * may be at it for a while yet: `settled` tells.
   */
  ask(message: S["ask"], signal: AbortSignal): Asked<S["event"]> {
    const id = this.#nextId++;
    const end = () => {
      signal.removeEventListener("abort", abort);
      if (!this.#answers.delete(id)) return;
      this.#settling.add(id, () => answer.settle());
      this.#child?.send({ type: "cancel", id });
    };
    const answer = new Asked<S["event"]>(end);
    const abort = () => {
      end();
      answer.fail(cancelled(), true);
    };
    if (signal.aborted || this.#child === null || this.#state.name !== "ready") {
      answer.fail(signal.aborted ? cancelled() : this.#stillLoading());
      answer.settle();
      return answer;
    }
    signal.addEventListener("abort", abort, { once: true });
    this.#answers.set(id, answer);
    try {
      this.#child.send({ type: "ask", id, ask: message });
    } catch (error) {
      signal.removeEventListener("abort", abort);
      this.#answers.delete(id);
      answer.fail(error);
      answer.settle();
    }
    return answer;
  }

  /** Ends the child; resolves once it is gone. What still runs on it fails. */
  async unload(): Promise<void> {
    this.#apply("unload");
    while (this.#state.name === "draining") await this.#changed.promise;
  }

  #apply(event: HostEvent): HostState {
    const { state, action } = transition(this.#state, event, performance.now());
    if (state !== this.#state) {
      this.#state = state;
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
    if (action === "start") this.#start();
    // Without a child its weights are still being prepared: `#spawn` sees the state and lets go.
    if (action === "stop") this.#child?.kill();
    return this.#state;
  }

  #start(): void {
    this.#loadingSince = performance.now();
    this.#failure = null;
    const load = this.#options.prepare();
    load.then(
      (options) => this.#spawn(options),
      (error: unknown) => this.#refuse(error),
    );
  }

  /**
   * There was no child yet. Where there was only no room, now or ever, nothing has failed and the next
   * caller is told the same at once; anything else, such as weights of the wrong hash, is said and tried more rarely.
   */
  #refuse(error: unknown): void {
    const noRoom = error instanceof GatewayError && NO_ROOM.has(error.kind);
    if (this.#state.name === "loading") {
      this.#failure = this.#couldNotLoad(error);
      if (!noRoom)
        this.#options.log.error("model could not be prepared", {
          model: this.#options.model.id,
          reason: error instanceof Error ? error.message : String(error),
        });
    }
    this.#apply(noRoom ? "refused" : "exited");
  }

  #spawn(options: S["load"]): void {
    // It may have been unloaded while its weights were prepared.
    if (this.#state.name !== "loading") {
      this.#gone(null, null);
      return;
    }
    const { kind, model } = this.#options;
    const { serialization, env = {} } = kind;
    const how = { entry: kind.entry(model.file), serialization, env };
    const child: EngineProcess<S> = new EngineProcess<S>(how, {
      onMessage: (message) => this.#receive(child, message),
      onExit: (description) => this.#gone(child, description),
    });
    this.#child = child;
    this.#liveness = new Liveness(this.#options.livenessMs / LOOKS, {
      patience: () => this.#patience(),
      ping: () => child.send({ type: "ping" }),
      onSilent: () => this.#gone(child, "it gave no sign of life any more", "silent"),
    });
    child.send({ type: "load", options });
  }

  /** Milliseconds the child may be silent; null while it has nothing to do. */
  #patience(): number | null {
    const { livenessMs, loadTimeoutMs } = this.#options;
    if (this.#state.name === "loading") return Math.max(LOAD_PATIENCE * loadTimeoutMs, livenessMs);
    return this.#answers.size + this.#settling.size > 0 ? livenessMs : null;
  }

  #receive(child: EngineProcess<S>, message: FromChild<S>): void {
    if (child !== this.#child) return;
    // While it loads the process can be well and the load stuck: only progress counts.
    if (message.type !== "pong" || this.#state.name !== "loading") this.#liveness?.sign();
    switch (message.type) {
      case "pong":
      case "progress":
        return;
      case "ready": {
        this.#info = message.info;
        this.#apply("loaded");
        const ms = Math.round(performance.now() - this.#loadingSince);
        this.#options.log.info("model loaded", { model: this.#options.model.id, ms });
        return;
      }
      case "failed":
        this.#gone(child, message.message);
        return;
      case "settled":
        this.#settling.settled(message.id);
        return;
      case "events":
        for (const event of message.events) this.#deliver(event);
    }
  }

  #deliver(event: Told<S["event"]>): void {
    const answer = this.#answers.get(event.id);
    if (answer === undefined) return;
    const { isLast = ({ type }) => type === "done" } = this.#options.kind;
    if (isFailed(event)) answer.fail(failureOf(event));
    else {
      answer.push(event);
      if (!isLast(event)) return;
      answer.close();
    }
    answer.settle();
    this.#answers.delete(event.id);
  }

  /**
   * The child does not come back from a request that was cancelled, and its place is taken as long. With
   * nothing else to do it is ended in good order; where others are at work on it, late, and as a crash.
   */
  #overdue(ms: number): void {
    const child = this.#child;
    if (child === null || this.#state.name !== "ready") return;
    const alone = this.#answers.size === 0;
    if (!alone && ms < OTHERS_PATIENCE * (this.#options.settleMs ?? SETTLE_MS)) return;
    const reason = "a cancelled request did not end";
    if (alone) {
      this.#options.log.warn("model process ended", { model: this.#options.model.id, reason });
      this.#apply("unload");
    } else this.#gone(child, reason);
  }

  /**
   * The child is gone or no use: with `cause`, unexpectedly. What it was at may be what silenced it,
   * and would silence the next one with all its callers: none of that is asked of this model again.
   */
  #gone(child: EngineProcess<S> | null, cause: unknown, fault: Fault = "broken"): void {
    if (child !== this.#child) return;
    const was = this.#state.name;
    const lines = child?.lastLines ?? [];
    this.#child = null;
    this.#liveness?.stop();
    this.#liveness = null;
    this.#info = null;
    child?.kill();
    if (was === "loading" || was === "ready") {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const fields = {
        model: this.#options.model.id,
        state: was,
        reason,
        stderr: lines.join("\n"),
      };
      this.#options.log.error("model process ended", fields);
      if (was === "loading") this.#failure = this.#couldNotLoad(cause);
    }
    const answers = [...this.#answers.values()];
    this.#answers.clear();
    const state = this.#apply("exited");
    const waitMs = state.name === "crashed" ? state.retryAt - performance.now() : 0;
    for (const answer of answers) {
      answer.fail(stopped(Math.max(1, waitMs / 1_000), fault));
      answer.settle();
    }
    this.#settling.settleAll();
  }

  /** Resolves at the next change of state, after `ms`, or when `signal` aborts. */
  async #change(signal: AbortSignal, ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => resolve(), { once: true });
    await Promise.race([promise, this.#changed.promise]);
    clearTimeout(timer);
  }

  #stillLoading(): GatewayError {
    return new GatewayError(
      "model_loading",
      `The model ${this.#options.model.id} is still loading. Try again shortly.`,
      { retryAfter: 5 },
    );
  }

  /** What kept it from being loaded is said again; a crash is only said to be one. */
  #backingOff(retryAt: number): GatewayError {
    const retryAfter = Math.max(1, (retryAt - performance.now()) / 1_000);
    if (this.#failure !== null)
      return new GatewayError(this.#failure.kind, this.#failure.message, { retryAfter });
    return new GatewayError(
      "model_loading",
      `The model ${this.#options.model.id} stopped unexpectedly and is being restarted. Try again shortly.`,
      { retryAfter },
    );
  }

  #couldNotLoad(cause: unknown): GatewayError {
    if (cause instanceof GatewayError) return cause;
    return new GatewayError(
      "unavailable",
      `The model ${this.#options.model.id} could not be loaded. The server's log has the reason.`,
      { cause },
    );
  }
}

/** What a child failed at by itself it would fail at again: it is well, but not asked twice. */
function failureOf({ kind, message, param }: FailedEvent): GatewayError {
  return new GatewayError(kind, message, {
    param,
    ...(kind === "upstream_error" ? { fault: "failed" } : {}),
  });
}

function stopped(retryAfter: number, fault: Fault): GatewayError {
  const message = "The model stopped unexpectedly. Try again.";
  return new GatewayError("upstream_error", message, { retryAfter, fault });
}

function cancelled(): GatewayError {
  return new GatewayError("client_closed", "The request was cancelled.");
}
