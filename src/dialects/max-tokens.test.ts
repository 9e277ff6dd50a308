import { expect, test } from "bun:test";
import { target } from "../../test/dialects/backend.ts";
import { answerLimit } from "./max-tokens.ts";

const chat = (content: string, more: object = {}) => ({
  messages: [{ role: "user", content }],
  ...more,
});
const limit = (known: object, request: Record<string, unknown>, prefill: string | null = null) =>
  answerLimit(target("m", known), request, prefill);

test("what was asked is clamped to what the target gives", () => {
  expect(limit({}, chat("hi", { max_tokens: 100 }))).toBe(100);
  expect(limit({ maxOutput: 50 }, chat("hi", { max_tokens: 100 }))).toBe(50);
  expect(limit({ maxOutput: 50 }, chat("hi", { max_completion_tokens: 20, max_tokens: 9 }))).toBe(
    20,
  );
});

test("and to what the context likely leaves", () => {
  const asked = limit({ contextLength: 2000 }, chat("word ".repeat(600), { max_tokens: 9000 }));
  // 600 words are some 600 tokens, at most about 1,000.
  expect(asked).toBeGreaterThan(800);
  expect(asked).toBeLessThan(1400);
  expect(limit({ contextLength: 2000 }, chat("x".repeat(30_000), { max_tokens: 10 }))).toBe(10);
});

test("nothing asked and nothing known: nothing is sent", () => {
  expect(limit({}, chat("hi"))).toBeNull();
  expect(limit({ maxOutput: 100 }, chat("hi"))).toBeNull();
});

test("nothing asked: what is sent fits however the prompt is tokenized", () => {
  const context = 8192;
  for (const text of ["hi", "7".repeat(2000), "字".repeat(900), "🙂".repeat(500)]) {
    const bytes = Buffer.byteLength(text);
    const sent = limit({ contextLength: context }, chat(text)) ?? 0;
    expect(sent + bytes).toBeLessThanOrEqual(context);
    expect(sent).toBeGreaterThan(context / 2);
  }
  expect(limit({ contextLength: 8192, maxOutput: 1000 }, chat("x".repeat(7000)))).toBe(1000);
});

test("nothing asked of a chat that fills much of the context, or shows pictures: nothing is sent", () => {
  expect(limit({ contextLength: 8192 }, chat("x".repeat(6000)))).toBeNull();
  const content = [{ type: "image_url", image_url: { url: "data:," } }];
  expect(limit({ contextLength: 8192 }, { messages: [{ role: "user", content }] })).toBeNull();
});

test("a completion always gets one that fits, since servers' own default is 16", () => {
  const sent = limit({ contextLength: 4096 }, { prompt: "x".repeat(3000) });
  expect(sent).toBeGreaterThan(900);
  expect(limit({ contextLength: 4096 }, { prompt: [1, 2, 3] })).toBeGreaterThan(4000);
});

test("the beginning of the answer takes its part of the context", () => {
  const without = limit({ contextLength: 4096 }, chat("hi")) ?? 0;
  expect(limit({ contextLength: 4096 }, chat("hi"), "x".repeat(1000))).toBe(without - 1000);
});
