import { readFile } from "node:fs/promises";
import { Tokenizer } from "@huggingface/tokenizers";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { z } from "zod";
import { BertConfig, bertNetwork } from "./bert.ts";
import { poolingWeights } from "./pooling.ts";
import type { EmbeddingsInfo, EmbeddingsLoad, OnnxLoad, Pooling } from "./protocol.ts";
import type { EmbeddingRuntime } from "./runtime.ts";
import { readSafetensors } from "./safetensors.ts";
import { wordSlices } from "./slices.ts";

/** A batch of so many tokens takes some tenths of a second; larger ones are no faster. */
const BATCH_TOKENS = 1_024;

/** What a BERT's `tokenizer.json` is, and what `wordSlices` relies on. */
const WordPieces = z.looseObject({ model: z.looseObject({ type: z.literal("WordPiece") }) });

/** A BERT of Hugging Face's files in onnxruntime. */
export class OnnxEmbeddings implements EmbeddingRuntime {
  readonly info: EmbeddingsInfo;
  readonly batchTokens = BATCH_TOKENS;
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly #session: InferenceSession;
  readonly #tokenizer: Tokenizer;
  readonly #pooling: Pooling;
  readonly #padding: number;

  private constructor(
    session: InferenceSession,
    tokenizer: Tokenizer,
    config: BertConfig,
    { contextSize, pooling }: EmbeddingsLoad,
  ) {
    this.#session = session;
    this.#tokenizer = tokenizer;
    this.#pooling = pooling;
    this.#padding = config.pad_token_id;
    this.info = {
      contextSize: Math.min(contextSize, config.max_position_embeddings),
      dimensions: config.hidden_size,
      vocabularySize: config.vocab_size,
    };
    const bare = this.encode("a");
    const whole = tokenizer.encode("a").ids;
    const at = whole.indexOf(bare[0] ?? -1);
    this.before = whole.slice(0, at);
    this.after = whole.slice(at + bare.length);
  }

  /** Rejects when the files are not those of a BERT. */
  static async load(options: EmbeddingsLoad & OnnxLoad): Promise<OnnxEmbeddings> {
    const json = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, "utf8"));
    const config = BertConfig.parse(await json(options.config));
    const vocabulary = WordPieces.parse(await json(options.tokenizer));
    const tensors = readSafetensors(await readFile(options.weights));
    const session = await InferenceSession.create(bertNetwork(config, tensors), {
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      graphOptimizationLevel: "all",
    });
    return new OnnxEmbeddings(session, new Tokenizer(vocabulary, {}), config, options);
  }

  slices(text: string): Iterable<string> {
    return wordSlices(text);
  }

  encode(text: string): number[] {
    return this.#tokenizer.encode(text, { add_special_tokens: false }).ids;
  }

  decode(tokens: Int32Array): string {
    return tokens.length === 0 ? "" : this.#tokenizer.decode([...tokens]);
  }

  piece(token: number): string {
    return this.#tokenizer.id_to_token(token) ?? "";
  }

  async embed(texts: readonly Int32Array[]): Promise<Float32Array> {
    const length = texts.reduce((most, tokens) => Math.max(most, tokens.length), 1);
    const ids = new Int32Array(texts.length * length).fill(this.#padding);
    const lengths = new Int32Array(texts.length);
    const weights = new Float32Array(texts.length * length);
    for (const [at, tokens] of texts.entries()) {
      ids.set(tokens, at * length);
      lengths[at] = tokens.length;
      weights.set(poolingWeights(this.#pooling, tokens.length), at * length);
    }
    const { embeddings } = await this.#session.run({
      ids: new Tensor("int32", ids, [texts.length, length]),
      lengths: new Tensor("int32", lengths, [texts.length]),
      pooling: new Tensor("float32", weights, [texts.length, 1, length]),
    });
    const data = embeddings?.data;
    if (data instanceof Float32Array) return data;
    throw new Error("the network gave no 32-bit floats");
  }
}
