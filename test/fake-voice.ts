import type { Asked } from "./fake-asked.ts";
import type { Saying } from "./fake-said.ts";
import type { Style } from "./fake-styles.ts";

/** The form that a dialect gives to what is said. */
export interface Voice {
  readonly contentType: string;
  /** One event, with all that ends it; null for what this dialect doesn't say. */
  event(saying: Saying): string | null;
  /** What stands at the end of a stream. */
  readonly done: string | null;
  readonly comment: string | null;
  readonly malformed: string;
  /** An error amid a stream; `inChunk` as OpenRouter does it, in a normal chunk. */
  failure(inChunk: boolean): string;
  whole(sayings: readonly Saying[]): Record<string, unknown>;
}

export const INBAND_MESSAGE = "the engine died of sk-upstream-secret";

/** OpenAI's events and answers, with what a server of this kind adds. */
export function openAiVoice(style: Style, asked: Asked, model: string): Voice {
  const created = Math.floor(Date.now() / 1000);
  const id = `${asked.chat ? style.idPrefix : "cmpl-"}${crypto.randomUUID()}`;
  const object = asked.chat ? "chat.completion.chunk" : "text_completion";
  const chunk = (more: object) =>
    `data: ${JSON.stringify({ id, object, created, model, ...style.chunk, ...more })}\n\n`;
  const usageNull = style.usageNull ? { usage: null } : {};
  const piece = (delta: object, finish: string | null = null) => {
    const role = style.roleOnEvery ? { role: "assistant" } : {};
    const choice = {
      index: 0,
      delta: { ...role, ...delta },
      finish_reason: finish,
      ...style.choice,
    };
    return chunk({ choices: [choice], ...usageNull });
  };
  const textPiece = (text: string, finish: string | null = null) =>
    chunk({
      choices: [{ index: 0, text, logprobs: null, finish_reason: finish, ...style.choice }],
      ...usageNull,
    });
  return {
    contentType: style.contentType,
    done: style.done,
    comment: style.comment,
    malformed: 'data: {"id":"x","choices":[{"index":0,"delta":{"content":"lost\n\n',
    failure: (inChunk) =>
      inChunk
        ? chunk({
            error: { code: 502, message: INBAND_MESSAGE },
            choices: [
              {
                index: 0,
                delta: { content: "" },
                finish_reason: "error",
                native_finish_reason: "error",
              },
            ],
          })
        : `data: ${JSON.stringify({ error: { message: INBAND_MESSAGE, type: "server_error", param: null, code: null } })}\n\n`,
    event(saying) {
      if (saying.kind === "usage") {
        if (!asked.usage) return null;
        const choices = style.usageChoice
          ? [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }]
          : [];
        return chunk({ choices, usage: usageBody(saying), ...style.withUsage });
      }
      if (!asked.chat) {
        if (saying.kind === "finish") return textPiece("", saying.reason);
        return saying.kind === "text" ? textPiece(saying.text) : null;
      }
      switch (saying.kind) {
        case "role":
          return piece({ role: "assistant", content: style.roleContent });
        case "text":
          return piece({ content: saying.text });
        case "reasoning":
          return piece({ [style.reasoning]: saying.text });
        case "tool":
          return piece({ tool_calls: [toolDelta(saying)] });
        case "finish":
          return piece(style.finishDelta, saying.reason);
      }
    },
    whole(sayings) {
      const usage = sayings.find((saying) => saying.kind === "usage");
      const reason = sayings.find((saying) => saying.kind === "finish")?.reason ?? null;
      const content = textIn(sayings, "text");
      const message = {
        role: "assistant",
        content,
        ...style.message,
        ...reasoningIn(sayings, style),
        ...toolsIn(sayings),
      };
      const choice = asked.chat
        ? { index: 0, message }
        : { index: 0, text: content, logprobs: null };
      return {
        id,
        object: asked.chat ? "chat.completion" : "text_completion",
        created,
        model,
        ...style.chunk,
        choices: [{ ...choice, finish_reason: reason, ...style.choice }],
        ...(usage === undefined ? {} : { usage: usageBody(usage) }),
        ...style.withUsage,
      };
    },
  };
}

type Tool = Extract<Saying, { kind: "tool" }>;

function toolDelta({ index, opens, arguments: text }: Tool): object {
  if (opens === undefined) return { index, function: { arguments: text } };
  return { index, id: opens.id, type: "function", function: { name: opens.name, arguments: text } };
}

/** The calls put together again, or nothing. */
export function callsIn(sayings: readonly Saying[]) {
  const pieces = sayings.filter((saying) => saying.kind === "tool");
  return pieces
    .filter((piece) => piece.opens !== undefined)
    .map(({ index, opens }) => ({
      ...opens,
      arguments: pieces
        .filter((piece) => piece.index === index)
        .map((piece) => piece.arguments)
        .join(""),
    }));
}

function toolsIn(sayings: readonly Saying[]): object {
  const calls = callsIn(sayings);
  if (calls.length === 0) return {};
  return {
    content: null,
    tool_calls: calls.map(({ id, name, arguments: text }) => ({
      id,
      type: "function",
      function: { name, arguments: text },
    })),
  };
}

function reasoningIn(sayings: readonly Saying[], style: Style): object {
  const reasoning = textIn(sayings, "reasoning");
  return reasoning === "" ? {} : { [style.reasoning]: reasoning };
}

export function textIn(sayings: readonly Saying[], kind: "text" | "reasoning"): string {
  return sayings.map((saying) => (saying.kind === kind ? saying.text : "")).join("");
}

function usageBody({ prompt, completion }: Extract<Saying, { kind: "usage" }>): object {
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
  };
}
