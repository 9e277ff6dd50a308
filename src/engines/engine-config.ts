import type { KvType } from "../lib/footprint.ts";

/** How the embedded engines run. Sizes are bytes, durations milliseconds. */
export interface EngineConfig {
  /** Threads of one model; more than there are cores makes it a hundred times slower. */
  readonly threads: number;
  /** Requests that one model answers at once. */
  readonly sequences: number;
  /** Whether an answer may begin with the state of another key's prompt; not if unset. */
  readonly sharedPrefixes?: boolean;
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
  /** Most pixels of an image; 40 million if unset. */
  readonly imagePixels?: number;
  /** Without a sign of life for so long, a child process that has work is given up; 30 s if unset. */
  readonly livenessMs?: number;
}
