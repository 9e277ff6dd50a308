import { GatewayError } from "../contract/errors.ts";
import {
  type DetokenizeRequest,
  type TokenizeRequest,
  unreadOfTokenize,
  WHOLE_CONVERSATION,
} from "../contract/tokenize.ts";
import type { AttemptContext, Model, Reply } from "../types.ts";
import { chatPlan } from "./chat-plan.ts";
import type { PooledText } from "./llama/kind.ts";
import type { ModelPool } from "./pool.ts";
import { refuseDetokenizing, refuseTokenizing } from "./prompt-limits.ts";
import type { ChildEvent, PromptSource, ReadyInfo } from "./protocol.ts";

/**
 * The tokens a text or a conversation has for this model. They are the very tokens an answer to it
 * would begin from, tools and forms included: special tokens are added to a text unless
 * `add_special_tokens` is false.
 */
export async function tokenize(
  pool: ModelPool,
  pooled: PooledText,
  request: TokenizeRequest,
  context: AttemptContext,
): Promise<Reply> {
  const { signal } = context;
  const promptFor = promptOf(request, pooled.model.file, context);
  const done = pool.hold(pooled);
  try {
    const ready = await pooled.host.ensureReady(signal);
    const { contextSize } = ready;
    const prompt = promptFor(ready);
    if (prompt.kind === "chat") refuseTokenizing(prompt, "messages");
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

const SOURCES = ["input", "text", "prompt"] as const;

/** Checked as far as it can be before the model is there. */
function promptOf(
  request: TokenizeRequest,
  file: Model["file"],
  { dropped }: AttemptContext,
): (ready: ReadyInfo) => PromptSource {
  const { model, messages } = request;
  const unread = unreadOfTokenize(request, messages === undefined ? new Set() : WHOLE_CONVERSATION);
  for (const name of unread) dropped.add(name);
  if (messages === undefined) {
    const text = request.input ?? request.text ?? request.prompt ?? "";
    const addSpecialTokens = request.add_special_tokens !== false;
    const prompt: PromptSource = { kind: "text", text, addSpecialTokens };
    refuseTokenizing(prompt, SOURCES.find((name) => request[name] !== undefined) ?? "input");
    return () => prompt;
  }
  const { tools, tool_choice, functions, function_call, response_format } = request;
  const { chat_template_kwargs, reasoning_effort } = request;
  const { add_generation_prompt, continue_final_message } = request;
  const asked = {
    ...{ model, messages, tools, tool_choice, functions, function_call, response_format },
    ...{ chat_template_kwargs, reasoning_effort },
    ...{ add_generation_prompt, continue_final_message },
  };
  const plan = chatPlan(asked, file, { prefill: null, dropped }, 0);
  return ({ chat }) => plan.options(chat).prompt;
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
