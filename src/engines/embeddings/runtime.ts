import type { EmbeddingsInfo } from "./protocol.ts";

/** What runs an embedding model in the child: its vocabulary, and its network. */
export interface EmbeddingRuntime {
  readonly info: EmbeddingsInfo;
  /** Tokens that one run may have together, padding included. */
  readonly batchTokens: number;
  /** A text in parts whose tokens, one after the other, are the text's; each is tokenised in one go. */
  slices(text: string): Iterable<string>;
  /** Tokens of a slice alone. */
  encode(text: string): number[];
  /** What the model was trained to see around a text. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  decode(tokens: Int32Array): string;
  /** A token as its vocabulary writes it. */
  piece(token: number): string;
  /** Embeddings of texts' tokens, one after the other, each of length 1. */
  embed(texts: readonly Int32Array[]): Promise<Float32Array>;
}
