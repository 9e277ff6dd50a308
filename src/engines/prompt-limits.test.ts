import { expect, test } from "bun:test";
import { NO_FORMAT } from "./chat-format.ts";
import {
  refuseDetokenizing,
  refuseMessages,
  refuseOversized,
  refuseTokenizing,
} from "./prompt-limits.ts";
import type { ChatPrompt, PromptSource, ReadyInfo } from "./protocol.ts";

const info: ReadyInfo = {
  contextSize: 100,
  vocabularySize: 1_000,
  longestToken: 10,
  chat: NO_FORMAT,
};
const large: ReadyInfo = { ...info, contextSize: 10_000_000 };

const text = (length: number): PromptSource => ({
  kind: "text",
  text: "x".repeat(length),
  addSpecialTokens: true,
});
const tokens = (length: number): PromptSource => ({
  kind: "tokens",
  tokens: Array(length).fill(1),
});
const oversized = (prompt: PromptSource, info: ReadyInfo, prefill: string | null = null) =>
  refuseOversized({ prompt, prefill }, info);
const chat = (contents: readonly string[], variables = {}): ChatPrompt => ({
  kind: "chat",
  messages: contents.map((content) => ({ role: "user", content })),
  addGenerationPrompt: true,
  continueFinal: false,
  tools: null,
  opening: null,
  thinksFirst: null,
  variables,
});
const refused = (kind: string, param: string, words = "") =>
  expect.objectContaining({ kind, param, message: expect.stringContaining(words) });

test("a prompt that is certain to fill the context is refused, and one that may fit is not", () => {
  const param = { text: "prompt", tokens: "prompt", chat: "messages" };
  for (const prompt of [text(990), tokens(99), chat(["x".repeat(500), "x".repeat(490)])])
    expect(() => oversized(prompt, info)).not.toThrow();
  for (const prompt of [text(991), tokens(100), chat(["x".repeat(991)]), chat(Array(100).fill(""))])
    expect(() => oversized(prompt, info)).toThrow(
      refused("context_length_exceeded", param[prompt.kind], "100 tokens"),
    );
});

test("a prompt that is too long to be read is refused, however large the context is", () => {
  expect(() => oversized(text(2 ** 20), large)).not.toThrow();
  expect(() => oversized(text(2 ** 20 + 1), large)).toThrow(refused("invalid_request", "prompt"));
  const deep = { calls: [{ x: ["y".repeat(2 ** 20)] }] };
  const messages = [{ role: "user", content: "", ...deep }];
  expect(() => oversized({ ...chat([]), messages }, large)).toThrow(
    refused("invalid_request", "messages"),
  );
  expect(() => oversized(chat([""], deep), large)).toThrow(
    refused("invalid_request", "chat_template_kwargs"),
  );
  expect(() => oversized(chat([""], { x: Array(2 ** 21).fill(0) }), large)).toThrow(
    refused("invalid_request", "chat_template_kwargs"),
  );
});

test("so are too many messages, and too much to tokenise or to detokenise", () => {
  expect(() => refuseMessages(16_384)).not.toThrow();
  expect(() => refuseMessages(16_385)).toThrow(refused("context_length_exceeded", "messages"));
  expect(() => refuseTokenizing(text(400_000), "input")).not.toThrow();
  expect(() => refuseTokenizing(text(400_001), "input")).toThrow(
    refused("invalid_request", "input", "400000 characters"),
  );
  expect(() => refuseDetokenizing(Array(131_072))).not.toThrow();
  expect(() => refuseDetokenizing(Array(131_073))).toThrow(refused("invalid_request", "tokens"));
});
