import { serve } from "../child-frame.ts";
import { EmbeddingEngine } from "./engine.ts";
import { OnnxEmbeddings } from "./onnx-runtime.ts";
import type { EmbeddingsSpeech } from "./protocol.ts";

/** Entry of the process that holds one embedding model of Hugging Face's files. */
serve<EmbeddingsSpeech>({
  load: async (options) => {
    if (options.runtime !== "onnx") throw new Error(`${options.runtime} in a process for onnx`);
    return new EmbeddingEngine(await OnnxEmbeddings.load(options));
  },
});
