import type { ImageSource } from "../images/source.ts";
import type { AttemptContext, JsonObject, Operation, OperationInput, Reply } from "../types.ts";
import { chat } from "./chat.ts";
import { completions } from "./completions.ts";
import { embeddings, unsupportedByEmbeddings } from "./embeddings/embeddings.ts";
import { EMBEDDINGS } from "./embeddings/kind.ts";
import { detokenizeForEmbedding, tokenizeForEmbedding } from "./embeddings/tokens.ts";
import type { EngineId } from "./kind.ts";
import { LLAMA } from "./llama/kind.ts";
import { readImages } from "./ocr/chat.ts";
import { OCR } from "./ocr/kind.ts";
import { unsupportedOcr } from "./ocr/request.ts";
import { unsupportedNames } from "./parameters.ts";
import { type ModelPool, wrongEndpoint } from "./pool.ts";
import { detokenize, tokenize } from "./tokenize.ts";
import { UPSCALE } from "./upscale/kind.ts";
import { upscale } from "./upscale/upscale.ts";

/** What services share besides the pool. */
export interface ServiceParts {
  /** Where the images of requests come from. */
  readonly images: Pick<ImageSource, "hold" | "bounds">;
}

/** What the models of one kind answer. */
export type Service = { readonly [O in Operation]?: Serve<O> };

export type Serve<O extends Operation> = (
  pool: ModelPool,
  model: string,
  input: OperationInput[O],
  context: AttemptContext,
  parts: ServiceParts,
) => Promise<Reply>;

/** What each kind of engine answers: one entry each. */
export const SERVICES: Readonly<Partial<Record<EngineId, Service>>> = {
  embeddings: {
    embeddings: async (pool, model, input, context) =>
      embeddings(pool, pool.get(model, EMBEDDINGS), input, context),
    tokenize: async (pool, model, input, context) =>
      tokenizeForEmbedding(pool, pool.get(model, EMBEDDINGS), input, context),
    detokenize: async (pool, model, input, context) =>
      detokenizeForEmbedding(pool, pool.get(model, EMBEDDINGS), input, context),
  },
  llama: {
    chat: async (pool, model, input, context) =>
      chat(pool, pool.get(model, LLAMA), input, context, randomSeed()),
    completions: async (pool, model, input, context) =>
      completions(pool, pool.get(model, LLAMA), input, context, randomSeed()),
    tokenize: async (pool, model, input, context) =>
      tokenize(pool, pool.get(model, LLAMA), input, context),
    detokenize: async (pool, model, input, context) =>
      detokenize(pool, pool.get(model, LLAMA), input, context),
  },
  ocr: {
    chat: async (pool, model, input, context, { images }) =>
      readImages(pool, pool.get(model, OCR), input, context, images),
  },
  upscale: {
    upscale: async (pool, model, input, context, { images }) =>
      upscale(pool, pool.get(model, UPSCALE), input, context, images.bounds),
  },
};

/** Parameters of a request that models of a kind can't honour. */
export function unsupportedBy(
  engine: EngineId,
  operation: Operation,
  input: JsonObject,
): readonly string[] {
  if (operation === "embeddings") return unsupportedByEmbeddings(input);
  if (operation !== "chat" && operation !== "completions") return [];
  return engine === "ocr" ? unsupportedOcr(input) : unsupportedNames(input);
}

/** How a model answers an operation. @throws GatewayError 400 where models of its kind don't */
export function serve<O extends Operation>(operation: O): Serve<O> {
  return async (pool, model, input, context, parts) => {
    const pooled = pool.of(model);
    const run = SERVICES[pooled.kind.id]?.[operation];
    if (run === undefined) throw wrongEndpoint(pooled);
    return run(pool, model, input, context, parts);
  };
}

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}
