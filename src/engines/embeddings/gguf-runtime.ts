import {
  getLlama,
  type LlamaEmbeddingContext,
  LlamaLogLevel,
  type LlamaModel,
  type Token,
} from "node-llama-cpp";
import { normalise } from "./pooling.ts";
import type { EmbeddingsInfo, EmbeddingsLoad, GgufLoad } from "./protocol.ts";
import type { EmbeddingRuntime } from "./runtime.ts";

/** A GGUF in llama.cpp, with the pooling that the file names. */
export class GgufEmbeddings implements EmbeddingRuntime {
  readonly info: EmbeddingsInfo;
  /** The library embeds one text after the other: texts that are put together would only wait for each other. */
  readonly batchTokens = 1;
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly #model: LlamaModel;
  /** By their ids. */
  readonly #tokens: readonly Token[];
  readonly #context: LlamaEmbeddingContext;

  private constructor(model: LlamaModel, context: LlamaEmbeddingContext, contextSize: number) {
    this.#model = model;
    this.#context = context;
    this.#tokens = [...model.iterateAllTokens()];
    this.before = tokenBefore(model);
    this.after = tokenAfter(model);
    this.info = {
      contextSize,
      dimensions: model.embeddingVectorSize,
      vocabularySize: this.#tokens.length,
    };
  }

  /** Rejects when the weights can't be read. */
  static async load(
    { path, contextSize, threads, gpu }: EmbeddingsLoad & GgufLoad,
    progress: () => void,
  ): Promise<GgufEmbeddings> {
    const llama = await getLlama({
      gpu: gpu ? "auto" : false,
      build: "never",
      skipDownload: true,
      progressLogs: false,
      logLevel: LlamaLogLevel.error,
      maxThreads: threads,
    });
    progress();
    const model = await llama.loadModel({ modelPath: path, onLoadProgress: progress });
    // The library refuses a text that fills its context to the last token.
    const room = contextSize + 1;
    const context = await model.createEmbeddingContext({
      contextSize: room,
      batchSize: room,
      threads,
    });
    return new GgufEmbeddings(model, context, contextSize);
  }

  /** The library takes a million characters in a second or so, and some vocabularies have spaces in their tokens. */
  slices(text: string): Iterable<string> {
    return [text];
  }

  encode(text: string): number[] {
    return this.#model.tokenize(text, false, "trimLeadingSpace");
  }

  decode(tokens: Int32Array): string {
    return this.#model.detokenize(this.#known(tokens));
  }

  piece(token: number): string {
    return this.#model.detokenize(this.#known([token]), true);
  }

  #known(ids: Iterable<number>): Token[] {
    return [...ids].flatMap((id) => this.#tokens[id] ?? []);
  }

  async embed(texts: readonly Int32Array[]): Promise<Float32Array> {
    const { dimensions } = this.info;
    const vectors = new Float32Array(texts.length * dimensions);
    for (const [at, tokens] of texts.entries()) {
      const { vector } = await this.#context.getEmbeddingFor(this.#known(tokens));
      if (vector.length !== dimensions) throw new Error(`an embedding of ${vector.length} numbers`);
      vectors.set(normalise(Float32Array.from(vector)), at * dimensions);
    }
    return vectors;
  }
}

/** As the library puts them around a text when they are not there (its `utils/tokenizerUtils.js`). */
function tokenBefore({ vocabularyType, tokens }: LlamaModel): readonly Token[] {
  if (vocabularyType === "rwkv" || vocabularyType === "ugm") return [];
  const wanted = vocabularyType === "wpm" || tokens.shouldPrependBosToken;
  return wanted && tokens.bos !== null ? [tokens.bos] : [];
}

function tokenAfter({ vocabularyType, tokens }: LlamaModel): readonly Token[] {
  if (vocabularyType === "rwkv") return [];
  const end = vocabularyType === "wpm" ? tokens.sep : tokens.eos;
  const wanted =
    vocabularyType === "wpm" || vocabularyType === "ugm" || tokens.shouldAppendEosToken;
  return wanted && end !== null ? [end] : [];
}
