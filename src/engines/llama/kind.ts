import { stat } from "node:fs/promises";
import { batchFor, type MemoryNeed, memoryFor } from "../../lib/footprint.ts";
import type { Model } from "../../types.ts";
import type { EngineConfig } from "../engine-config.ts";
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
    const { sequences, threads, gpu = false, sharedPrefixes = false, batchSize = "auto" } = config;
    const wanted = wantedContext(file, config);
    const need = textNeed(file, size, config);
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
    return { options, bytes: need.bytes, contextSize: need.contextSize };
  },
});

/** What a text model whose file has so many bytes takes: its context is made smaller to fit the budget. */
export function textNeed(file: Model["file"], weights: number, config: EngineConfig): MemoryNeed {
  const { sequences, memoryBudget, kvType = "auto" } = config;
  const kvBytesPerToken = file.kv_bytes_per_token ?? null;
  const contextSize = wantedContext(file, config);
  return memoryFor({ weights, kvBytesPerToken, sequences, contextSize }, memoryBudget, kvType);
}

function wantedContext({ context_length }: Model["file"], { contextSize }: EngineConfig): number {
  return Math.min(contextSize || context_length, context_length);
}

/** A text model's place in the pool. */
export type PooledText = PooledModel<LlamaSpeech>;
