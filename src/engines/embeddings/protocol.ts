/** What the gateway and the child process of an embedding model say to each other. */

export interface OnnxLoad {
  readonly runtime: "onnx";
  /** Paths: safetensors, `tokenizer.json`, `config.json`. */
  readonly weights: string;
  readonly tokenizer: string;
  readonly config: string;
}

export interface GgufLoad {
  readonly runtime: "gguf";
  readonly path: string;
  readonly gpu: boolean;
}

export type EmbeddingsLoad = (OnnxLoad | GgufLoad) & {
  readonly threads: number;
  /** Tokens one text may have, at most. */
  readonly contextSize: number;
  /** Of which tokens an embedding is made; a GGUF says so itself. */
  readonly pooling: Pooling;
};

export type Pooling = "mean" | "cls" | "last";

export interface EmbeddingsInfo {
  /** Tokens one text may have. */
  readonly contextSize: number;
  /** Numbers an embedding has. */
  readonly dimensions: number;
  readonly vocabularySize: number;
}

/** A text, or its tokens as they are: all of the vocabulary, and no more than a text may have. */
export type EmbeddingsText = string | Int32Array;

export type EmbeddingsAsk =
  | {
      readonly type: "embed";
      /** Keys take turns. */
      readonly keyId: string;
      readonly texts: readonly EmbeddingsText[];
      /** Whether the texts are a list in the request: so a fault names its place. */
      readonly listed: boolean;
      /** Of a longer text, its first so many tokens; null refuses it. */
      readonly truncateTo: number | null;
    }
  | {
      readonly type: "tokenize";
      readonly keyId: string;
      readonly text: string;
      readonly addSpecialTokens: boolean;
    }
  | { readonly type: "detokenize"; readonly tokens: Int32Array };

export type EmbeddingsEvent =
  /** Work at so many of its tokens begins; more of them may follow. */
  | { readonly type: "embedding"; readonly tokens: number }
  | {
      readonly type: "done";
      /** One after the other, in the order of the texts; each of length 1. */
      readonly vectors: Float32Array;
      /** Of all texts, as they were embedded. */
      readonly promptTokens: number;
    }
  | {
      readonly type: "tokens";
      readonly tokens: readonly number[];
      readonly pieces: readonly string[];
    }
  | { readonly type: "text"; readonly text: string };

export interface EmbeddingsSpeech {
  readonly load: EmbeddingsLoad;
  readonly info: EmbeddingsInfo;
  readonly ask: EmbeddingsAsk;
  readonly event: EmbeddingsEvent;
}
