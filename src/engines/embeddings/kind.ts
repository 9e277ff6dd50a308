import { stat } from "node:fs/promises";
import { defineEngine } from "../kind.ts";
import type { PooledModel } from "../pool.ts";
import type { EmbeddingsSpeech } from "./protocol.ts";

/**
 * Requests that one model has at once: their texts share batches, and so a place is held until others' are
 * done too. One key alone has half of them, the next one half of the others.
 */
const PLACES = 128;
const SHARE = 1;
/** What the process has beside the weights: the runtime, the vocabulary, a batch at work. */
const BESIDE = 200 * 2 ** 20;
/** Weights of 16 bits are held in 32, and lie in memory twice while they are loaded. */
const ONNX_FACTOR = 4;

/** Models that make embeddings: Hugging Face's files in onnxruntime, GGUF in llama.cpp. */
export const EMBEDDINGS = defineEngine<EmbeddingsSpeech>({
  id: "embeddings",
  entry: ({ engine }) =>
    new URL(engine === "embeddings" ? "./onnx-child.ts" : "./gguf-child.ts", import.meta.url),
  requires: ({ engine }) =>
    engine === "embeddings" ? ["onnxruntime-node", "@huggingface/tokenizers"] : ["node-llama-cpp"],
  serialization: "advanced",
  does: "makes embeddings",
  endpoint: "/v1/embeddings",
  parameters: ["dimensions", "encoding_format", "truncate", "truncate_prompt_tokens"],
  places: () => PLACES,
  share: SHARE,
  contextSize: (info) => info.contextSize,
  isLast: ({ type }) => type !== "embedding",
  load: async ({ file }, files, config) => {
    const { threads, gpu = false } = config;
    const contextSize = Math.min(config.contextSize || file.context_length, file.context_length);
    const pooling = file.embeddings?.pooling ?? "mean";
    const { weights = "", tokenizer = "", config: shape = "" } = files;
    const { size } = await stat(weights);
    const shared = { threads, contextSize, pooling };
    return file.engine === "embeddings"
      ? {
          options: { ...shared, runtime: "onnx", weights, tokenizer, config: shape },
          bytes: ONNX_FACTOR * size + BESIDE,
          contextSize,
        }
      : {
          options: { ...shared, runtime: "gguf", path: weights, gpu },
          bytes: size + BESIDE + contextSize * (file.kv_bytes_per_token ?? 0),
          contextSize,
        };
  },
});

/** An embedding model's place in the pool. */
export type PooledEmbedder = PooledModel<EmbeddingsSpeech>;
