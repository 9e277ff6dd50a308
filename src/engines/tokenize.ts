import { GatewayError } from "../contract/errors.ts";
import type { DetokenizeRequest, TokenizeRequest } from "../contract/tokenize.ts";
import type { AttemptContext, Reply } from "../types.ts";
import { continuesFinal, templateMessages } from "./chat-prompt.ts";
import type { PooledText } from "./llama/kind.ts";
import type { ModelPool } from "./pool.ts";
import { refuseDetokenizing, refuseTokenizing } from "./prompt-limits.ts";
import type { ChildEvent, PromptSource } from "./protocol.ts";

/**
 * The tokens a text or a conversation has for this model. They are the very tokens an answer to it
 * would begin from: special tokens are added unless `add_special_tokens` is false.
 */
export async function tokenize(
  pool: ModelPool,
  pooled: PooledText,
  request: TokenizeRequest,
  { signal }: AttemptContext,
): Promise<Reply> {
  const prompt = promptOf(request);
  refuseTokenizing(prompt, SOURCES.find((name) => request[name] !== undefined) ?? "input");
  const done = pool.hold(pooled);
  try {
    const { contextSize } = await pooled.host.ensureReady(signal);
    const event = await firstOf(pooled.host.ask({ type: "tokenize", prompt }, signal));
    if (event.type !== "tokens") throw unexpected(event.type);
    const { tokens, pieces } = event;
    const body = {
      object: "tokens",
      tokens,
      count: tokens.length,
      length: tokens.length,
      max_model_len: contextSize,
      token_strs: pieces,
    };
    return { kind: "json", body, usage: null };
  } finally {
    done();
  }
}

/** The text of tokens; undoes `tokenize`. */
export async function detokenize(
  pool: ModelPool,
  pooled: PooledText,
  request: DetokenizeRequest,
  { signal }: AttemptContext,
): Promise<Reply> {
  refuseDetokenizing(request.tokens);
  const done = pool.hold(pooled);
  try {
    await pooled.host.ensureReady(signal);
    const event = await firstOf(
      pooled.host.ask({ type: "detokenize", tokens: request.tokens }, signal),
    );
    if (event.type !== "text") throw unexpected(event.type);
    const { text } = event;
    return { kind: "json", body: { object: "text", text, prompt: text }, usage: null };
  } finally {
    done();
  }
}

const SOURCES = ["messages", "input", "text", "prompt"] as const;

function promptOf(request: TokenizeRequest): PromptSource {
  if (request.messages !== undefined) {
    const continueFinal = continuesFinal(request);
    return {
      kind: "chat",
      messages: templateMessages(request.messages),
      addGenerationPrompt: !continueFinal && request.add_generation_prompt !== false,
      continueFinal,
      tools: null,
      opening: null,
      thinksFirst: null,
      variables: {},
    };
  }
  return {
    kind: "text",
    text: request.input ?? request.text ?? request.prompt ?? "",
    addSpecialTokens: request.add_special_tokens !== false,
  };
}

async function firstOf(answer: AsyncIterable<readonly ChildEvent[]>): Promise<ChildEvent> {
  for await (const [event] of answer) if (event !== undefined) return event;
  throw new GatewayError("upstream_error", "The model stopped unexpectedly. Try again.");
}

function unexpected(type: string): GatewayError {
  return new GatewayError("internal", "The model's engine gave an answer of the wrong kind.", {
    cause: new Error(type),
  });
}
