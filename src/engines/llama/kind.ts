import { stat } from "node:fs/promises";
import { batchFor, memoryFor } from "../../lib/footprint.ts";
import { defineEngine } from "../kind.ts";
import { LOCAL_PARAMETERS } from "../parameters.ts";
import type { PooledModel } from "../pool.ts";
import type { LlamaSpeech } from "../protocol.ts";

/** Text models in GGUF, by llama.cpp. */
export const LLAMA = defineEngine<LlamaSpeech>({
  id: "llama",
  entry: () => new URL("./child.ts", import.meta.url),
  requires: ["node-llama-cpp"],
  serialization: "json",
  does: "answers chats and goes on with texts",
  endpoint: "/v1/chat/completions",
  parameters: LOCAL_PARAMETERS,
  // An answer begun elsewhere goes on exactly where its text was cut.
  continuation: { prefill: true, completions: true, exact: true, guided: true },
  places: ({ sequences }) => sequences,
  contextSize: (info) => info.contextSize,
  isLast: ({ type }) => type === "done" || type === "tokens" || type === "text",
  load: async ({ id, file }, { weights: path = "" }, config, log) => {
    const { size } = await stat(path);
    const { sequences, threads, memoryBudget, gpu = false } = config;
    const { sharedPrefixes = false } = config;
    const { batchSize = "auto", kvType = "auto" } = config;
    const wanted = Math.min(config.contextSize || file.context_length, file.context_length);
    const kvBytesPerToken = file.kv_bytes_per_token ?? null;
    const need = memoryFor(
      { weights: size, kvBytesPerToken, sequences, contextSize: wanted },
      memoryBudget,
      kvType,
    );
    if (need.contextSize < wanted)
      log.warn("context made smaller to fit the memory budget", {
        model: id,
        context: need.contextSize,
        wanted,
      });
    const options = {
      path,
      contextSize: need.contextSize,
      sequences,
      sharedPrefixes,
      threads,
      batchSize: batchSize === "auto" ? batchFor(threads, gpu) : batchSize,
      kvType: need.kvType,
      gpu,
      template: file.template ?? null,
      thinking: file.reasoning ?? null,
    };
    return { options, bytes: need.bytes };
  },
});

/** A text model's place in the pool. */
export type PooledText = PooledModel<LlamaSpeech>;
