/** What decides how much memory a loaded model takes. Sizes are bytes. */
export interface Footprint {
  /** Size of the weights' file, which is mapped into memory. */
  readonly weights: number;
  /** Bytes of 16-bit key-value cache for one token; null when the catalog doesn't say. */
  readonly kvBytesPerToken: number | null;
  readonly sequences: number;
  readonly contextSize: number;
}

/** How the key-value cache holds its numbers: 16-bit floats, or llama.cpp's blocks of 8 or 4 bits. */
export type KvType = "f16" | "q8_0" | "q4_0";

export interface MemoryNeed {
  readonly bytes: number;
  /** The context that goes with it: what was wanted, or less to fit. */
  readonly contextSize: number;
  readonly kvType: KvType;
}

/** The process itself, the compute buffers and the vocabulary, measured on a 1.1B model. */
const OVERHEAD = 192 * 2 ** 20;
/** Llama 3 8B's: more than any model smaller than that takes. */
const UNKNOWN_KV_BYTES_PER_TOKEN = 128 * 1024;
const SMALLEST_CONTEXT = 2_048;
/** Of f16: a block of 32 numbers has 34 and 18 bytes instead of 64 (ggml's `block_q8_0`, `block_q4_0`). */
const PART: Readonly<Record<KvType, number>> = { f16: 1, q8_0: 34 / 64, q4_0: 18 / 64 };

/**
 * Bytes a model takes. `auto` holds the cache in 16 bits where the whole context fits so, and in 8 bits
 * where that brings a longer one, which costs next to no quality; never in 4, which does. A context
 * that doesn't fit `budget` is halved until it does, but not below 2,048 tokens.
 */
export function memoryFor(
  model: Footprint,
  budget: number,
  kvType: KvType | "auto" = "auto",
): MemoryNeed {
  if (kvType !== "auto") return shrunk(model, budget, kvType);
  const exact = shrunk(model, budget, "f16");
  if (exact.contextSize === model.contextSize && exact.bytes <= budget) return exact;
  const packed = shrunk(model, budget, "q8_0");
  // Where neither fits, the lesser one says what is needed.
  return exact.bytes > budget || packed.contextSize > exact.contextSize ? packed : exact;
}

function shrunk(model: Footprint, budget: number, kvType: KvType): MemoryNeed {
  const exact = (model.kvBytesPerToken ?? UNKNOWN_KV_BYTES_PER_TOKEN) * model.sequences;
  const perToken = exact * PART[kvType];
  const bytes = (contextSize: number) =>
    Math.ceil(model.weights + OVERHEAD + perToken * contextSize);
  let { contextSize } = model;
  while (bytes(contextSize) > budget && contextSize > SMALLEST_CONTEXT)
    contextSize = Math.max(SMALLEST_CONTEXT, Math.floor(contextSize / 2));
  return { bytes: bytes(contextSize), contextSize, kvType };
}

/**
 * Tokens that are evaluated in one go, at most: a batch can't be interrupted, and what a slow machine
 * could not evaluate in half a second would only cost memory and make the others wait.
 */
export function batchFor(threads: number, gpu: boolean): number {
  return threads <= 2 && !gpu ? 128 : 512;
}
