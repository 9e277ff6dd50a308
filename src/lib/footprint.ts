/** What decides how much memory a loaded model takes. Sizes are bytes. */
export interface Footprint {
  /** Size of the weights' file, which is mapped into memory. */
  readonly weights: number;
  /** Bytes of key-value cache for one token; null when the catalog doesn't say. */
  readonly kvBytesPerToken: number | null;
  readonly sequences: number;
  readonly contextSize: number;
}

export interface MemoryNeed {
  readonly bytes: number;
  /** The context that goes with it: what was wanted, or less to fit. */
  readonly contextSize: number;
}

/** The process itself, the compute buffers and the vocabulary, measured on a 1.1B model. */
const OVERHEAD = 192 * 2 ** 20;
/** Llama 3 8B's: more than any model smaller than that takes. */
const UNKNOWN_KV_BYTES_PER_TOKEN = 128 * 1024;
const SMALLEST_CONTEXT = 2_048;

/** Bytes a model takes; its context is halved until it fits `budget`, but not below 2,048 tokens. */
export function memoryFor(model: Footprint, budget: number): MemoryNeed {
  const perToken = (model.kvBytesPerToken ?? UNKNOWN_KV_BYTES_PER_TOKEN) * model.sequences;
  const bytes = (contextSize: number) => model.weights + OVERHEAD + perToken * contextSize;
  let { contextSize } = model;
  while (bytes(contextSize) > budget && contextSize > SMALLEST_CONTEXT)
    contextSize = Math.max(SMALLEST_CONTEXT, Math.floor(contextSize / 2));
  return { bytes: bytes(contextSize), contextSize };
}
