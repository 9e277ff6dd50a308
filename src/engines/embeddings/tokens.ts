import { GatewayError } from "../../contract/errors.ts";
import {
  type DetokenizeRequest,
  type TokenizeRequest,
  unreadOfTokenize,
} from "../../contract/tokenize.ts";
import type { AttemptContext, Reply } from "../../types.ts";
import { askModel } from "../ask-model.ts";
import type { ModelPool } from "../pool.ts";
import { refuseDetokenizing, refuseTokenizing } from "../prompt-limits.ts";
import { idsOf } from "./inputs.ts";
import type { PooledEmbedder } from "./kind.ts";
import type { EmbeddingsSpeech } from "./protocol.ts";

/** The tokens a text is embedded with; those around it unless `add_special_tokens` is false. */
export async function tokenizeForEmbedding(
  pool: ModelPool,
  pooled: PooledEmbedder,
  request: TokenizeRequest,
  context: AttemptContext,
): Promise<Reply> {
  if (request.messages !== undefined)
    throw new GatewayError(
      "invalid_request",
      `The model ${pooled.model.id} makes embeddings and has no chats: send 'input', a text.`,
      { param: "messages" },
    );
  for (const name of unreadOfTokenize(request, new Set())) context.dropped.add(name);
  const text = request.input ?? request.text ?? request.prompt ?? "";
  const addSpecialTokens = request.add_special_tokens !== false;
  refuseTokenizing({ kind: "text", text, addSpecialTokens }, "input");
  let most = 0;
  const event = await askModel<EmbeddingsSpeech>(
    pool,
    pooled,
    ({ contextSize }) => {
      most = contextSize;
      return { type: "tokenize", keyId: context.keyId, text, addSpecialTokens };
    },
    context,
  );
  if (event.type !== "tokens") throw new Error(`${event.type} for an answer`);
  const { tokens, pieces } = event;
  const { length } = tokens;
  const sizes = { count: length, length, max_model_len: most };
  return {
    kind: "json",
    body: { object: "tokens", tokens, ...sizes, token_strs: pieces },
    usage: null,
  };
}

/** The text of tokens. */
export async function detokenizeForEmbedding(
  pool: ModelPool,
  pooled: PooledEmbedder,
  { tokens }: DetokenizeRequest,
  context: AttemptContext,
): Promise<Reply> {
  refuseDetokenizing(tokens);
  const event = await askModel<EmbeddingsSpeech>(
    pool,
    pooled,
    ({ vocabularySize }) => {
      const any = { contextSize: tokens.length, vocabularySize };
      return { type: "detokenize", tokens: idsOf(tokens, any, null, "tokens") };
    },
    context,
  );
  if (event.type !== "text") throw new Error(`${event.type} for an answer`);
  const { text } = event;
  return { kind: "json", body: { object: "text", text, prompt: text }, usage: null };
}
