import type { ModelFile } from "./schema.ts";

/** Whether a model and its context fit in memory. */
export interface Fit {
  readonly fits: boolean;
  /** Bytes that weights, context and the engine's own buffers take. */
  readonly needed: number;
  readonly budget: number;
}

/** The engine's buffers and the process around them: the starter model's takes 180 MB above its weights. */
const OVERHEAD = 200e6;

/** Pure: `sizeBytes` of weights and `contextBytes` of key-value cache against `budget` bytes. */
export function fit(sizeBytes: number, contextBytes: number, budget: number): Fit {
  const needed = sizeBytes + contextBytes + OVERHEAD;
  return { fits: needed <= budget, needed, budget };
}

/** A context worth having: what a model must at least hold to count as fitting. */
const LEAST_CONTEXT = 4_096;

/** A cache for an 8B model with grouped attention (32 layers, 8 heads of 128), for files that don't say. */
const USUAL_KV_BYTES = 131_072;

/**
 * Bytes of key-value cache for one sequence: of `contextSize` tokens, or, when that is 0 (the
 * engine takes what memory allows), of the least context worth having.
 */
export function contextBytes(file: ModelFile, contextSize: number): number {
  const tokens = Math.min(file.context_length, contextSize === 0 ? LEAST_CONTEXT : contextSize);
  return tokens * (file.kv_bytes_per_token ?? USUAL_KV_BYTES);
}
