import type { EmbeddingsInput, EmbeddingsRequest } from "../../contract/embeddings.ts";
import { GatewayError } from "../../contract/errors.ts";
import type { AttemptContext, Model, Reply } from "../../types.ts";
import { askModel } from "../ask-model.ts";
import type { ModelPool } from "../pool.ts";
import { LONGEST_TEXT, textTooLong } from "../prompt-limits.ts";
import { idsOf, paramOf } from "./inputs.ts";
import type { PooledEmbedder } from "./kind.ts";
import { shortened } from "./pooling.ts";
import type { EmbeddingsSpeech } from "./protocol.ts";

/** Parameters that are honoured, or have no effect on what is answered. */
const HONOURED = new Set([
  ...["model", "input", "encoding_format", "dimensions", "user"],
  ...["truncate", "truncate_prompt_tokens"],
]);

/** Names of a request's fields that embedding models here can't honour. */
export function unsupportedByEmbeddings(request: { readonly [name: string]: unknown }): string[] {
  return Object.keys(request).filter((name) => !HONOURED.has(name));
}

/** Vectors of texts, in their order. All that one request has is embedded before it is answered. */
export async function embeddings(
  pool: ModelPool,
  pooled: PooledEmbedder,
  request: EmbeddingsRequest,
  context: AttemptContext,
): Promise<Reply> {
  for (const name of unsupportedByEmbeddings(request)) context.dropped.add(name);
  const { model } = pooled;
  const wanted = request.dimensions ?? null;
  const told = model.file.embeddings;
  if (told !== undefined) refuseDimensions(wanted, told.dimensions, model);
  const { texts: sent, listed } = textsOf(request.input);
  refuseLong(sent, listed);
  const { meter } = context;
  const event = await askModel<EmbeddingsSpeech>(
    pool,
    pooled,
    (info) => {
      refuseDimensions(wanted, info.dimensions, model);
      const truncateTo = truncation(request, info.contextSize);
      const texts = sent.map((text, index) =>
        typeof text === "string" ? text : idsOf(text, info, truncateTo, paramOf(index, listed)),
      );
      return { type: "embed", keyId: context.keyId, texts, listed, truncateTo };
    },
    context,
    (event) => {
      if (event.type !== "embedding") return;
      // What was worked at counts, whoever leaves before it is answered.
      meter.promptTokens += event.tokens;
      meter.source = "counted";
    },
  );
  if (event.type !== "done")
    throw new GatewayError("internal", "The model's engine gave an answer of the wrong kind.");
  const { vectors, promptTokens: tokens } = event;
  meter.promptTokens = tokens;
  meter.source = "counted";
  const size = vectors.length / sent.length;
  const data = sent.map((_, index) => {
    const whole = vectors.subarray(index * size, (index + 1) * size);
    const vector = shortened(whole, wanted ?? size);
    const embedding = request.encoding_format === "base64" ? toBase64(vector) : Array.from(vector);
    return { object: "embedding", index, embedding };
  });
  const usage = { prompt_tokens: tokens, total_tokens: tokens };
  return { kind: "json", body: { object: "list", data, usage }, usage: null };
}

/** A text, or the tokens of one. */
type Sent = string | readonly number[];

/** What is to be embedded, each for itself; `listed` where the request has a list of them. */
export function textsOf(input: EmbeddingsInput): {
  readonly texts: readonly Sent[];
  readonly listed: boolean;
} {
  if (typeof input === "string") return { texts: [input], listed: false };
  const tokens = input.filter((item) => typeof item === "number");
  if (tokens.length > 0) return { texts: [tokens], listed: false };
  return { texts: input.filter((item) => typeof item !== "number"), listed: true };
}

/** Before it is sent to the child. */
function refuseLong(texts: readonly Sent[], listed: boolean): void {
  const at = texts.findIndex((text) => text.length > LONGEST_TEXT);
  if (at !== -1) throw textTooLong(LONGEST_TEXT, paramOf(at, listed));
}

/** Tokens of a longer text that are kept; null where it is to be refused. vLLM's parameter, and TEI's. */
function truncation(request: EmbeddingsRequest, contextSize: number): number | null {
  const most = request.truncate_prompt_tokens ?? (request.truncate === true ? -1 : null);
  if (most === null) return null;
  if (most > contextSize)
    throw new GatewayError(
      "invalid_request",
      `'truncate_prompt_tokens' is ${most}, and this model's maximum context length is ${contextSize} tokens.`,
      { param: "truncate_prompt_tokens" },
    );
  return most === -1 ? contextSize : most;
}

/** Only models that were trained for it can be shortened: of others, some numbers say nothing for themselves. */
function refuseDimensions(wanted: number | null, dimensions: number, { id, file }: Model): void {
  if (wanted === null || wanted === dimensions) return;
  const least = file.embeddings?.min_dimensions;
  if (least !== undefined && wanted >= least && wanted <= dimensions) return;
  const can =
    least === undefined
      ? `has ${dimensions} dimensions, and was not trained to be shortened`
      : `can have ${least} to ${dimensions} dimensions`;
  throw new GatewayError("invalid_request", `An embedding of ${id} ${can}.`, {
    param: "dimensions",
  });
}

/** Little-endian 32-bit floats, as in OpenAI's API and on every machine that runs this. */
function toBase64(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}
