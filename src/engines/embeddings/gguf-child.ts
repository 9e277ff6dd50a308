import { serve } from "../child-frame.ts";
import { EmbeddingEngine } from "./engine.ts";
import { GgufEmbeddings } from "./gguf-runtime.ts";
import type { EmbeddingsSpeech } from "./protocol.ts";

/** Entry of the process that holds one embedding model in GGUF. */
serve<EmbeddingsSpeech>({
  load: async (options, progress) => {
    if (options.runtime !== "gguf") throw new Error(`${options.runtime} in a process for GGUF`);
    return new EmbeddingEngine(await GgufEmbeddings.load(options, progress));
  },
});
