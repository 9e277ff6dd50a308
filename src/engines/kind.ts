import type { Log } from "../lib/log.ts";
import type { Continuation, Model } from "../types.ts";
import type { EngineConfig } from "./engine-config.ts";

/** Which engine runs a model; its file says so. */
export type EngineId = Model["file"]["engine"];

/** Where a model's weights lie, by their role; a model of one file has the role `weights`. */
export type WeightPaths = Readonly<Record<string, string>>;

/** What a child tells of a request. `progress` and others may come before the last, `done`. */
export interface EngineEvent {
  readonly type: string;
}

/** The types of what a host and its child say to each other. */
export interface Speech {
  /** How the model is to be loaded. */
  readonly load: unknown;
  /** What is known of it once it is loaded. */
  readonly info: unknown;
  readonly ask: unknown;
  readonly event: EngineEvent;
}

/** What loading a model takes. */
export interface Loading<Options> {
  readonly options: Options;
  /** Memory it takes when it is loaded and at work. */
  readonly bytes: number;
  /** Tokens of context that one request gets; absent where that means nothing. */
  readonly contextSize?: number;
}

/** One kind of engine: what its child process is, and what it needs. */
export interface EngineKind<S extends Speech> {
  readonly id: EngineId;
  /** File that the child process runs; only there are heavy packages imported. */
  readonly entry: (file: Model["file"]) => URL;
  /** npm packages that the child imports. */
  readonly requires: readonly string[] | ((file: Model["file"]) => readonly string[]);
  /** `advanced` carries bytes as they are; `json` is quicker for words. */
  readonly serialization: "json" | "advanced";
  /** Variables of its child's environment, such as how its library takes memory. */
  readonly env?: Readonly<Record<string, string>>;
  /** What its models do, and where: `makes embeddings`, `/v1/embeddings`. */
  readonly does: string;
  readonly endpoint: string;
  /** Names of the request parameters that steer its answers, as lists of models tell them; none if unset. */
  readonly parameters?: readonly string[];
  /** How its answers are gone on with, where they can be. */
  readonly continuation?: Continuation;
  /** Requests of one model that run at once; others wait in line. */
  places(config: EngineConfig): number;
  /** A key takes a place only while it has fewer than so many times those that are free: any number if unset. */
  readonly share?: number;
  /** Beside those, places of requests that take long, with a line of their own; without it all wait alike. */
  readonly longPlaces?: number;
  /** Pure but for looking at files' sizes. Rejects with a `GatewayError` when it can't be loaded. */
  load(
    model: Model,
    files: WeightPaths,
    config: EngineConfig,
    log: Log,
  ): Promise<Loading<S["load"]>>;
  /** Tokens of context of a loaded model; null where that means nothing. */
  contextSize?(info: S["info"]): number | null;
  /** Whether a request is over with this event; with `done` unless it says otherwise. */
  isLast?(event: S["event"]): boolean;
}

/** `defineEngine<Speech>()` checks a kind against what its two sides say to each other. */
export function defineEngine<S extends Speech>(kind: EngineKind<S>): EngineKind<S> {
  return kind;
}
