import { expect, test } from "bun:test";
import type { JsonObject } from "../../types.ts";
import { estimatePrompt } from "./estimate.ts";

const LONG = "word ".repeat(3000);
const message = (content: unknown): JsonObject => ({ messages: [{ role: "user", content }] });

test("whatever of a request may become part of a prompt is counted, in whichever field it stands", () => {
  const requests: JsonObject[] = [
    { prompt: LONG },
    { prompt: LONG, messages: [] },
    { prompt: "x", suffix: LONG },
    { input: LONG, prompt: "x", messages: [] },
    { ...message("x"), documents: [{ text: LONG }] },
    { ...message("x"), chat_template_kwargs: { told: LONG } },
    message([{ type: "text", text: LONG, image_url: { url: "" } }]),
    { messages: [{ role: "user", content: "x", file: 1, more: LONG }] },
  ];
  for (const request of requests) expect(estimatePrompt(request).tokens).toBeGreaterThan(5000);
});

test("what is no prompt is not counted, and a picture is one however long its address", () => {
  const settings = {
    model: LONG,
    user: LONG,
    metadata: { a: LONG },
    stop: [LONG],
    max_tokens: 9000,
  };
  const plain = estimatePrompt(message("x")).tokens;
  expect(estimatePrompt({ ...message("x"), ...settings }).tokens).toBe(plain);
  const picture = estimatePrompt(message([{ type: "image_url", image_url: { url: LONG } }])).tokens;
  expect(picture - plain).toBeGreaterThan(1400);
  expect(picture - plain).toBeLessThan(1600);
});

test("each of several prompts has an answer; a list of tokens is one prompt", () => {
  const answers = [{ prompt: ["a", "b"] }, { prompt: [1, 2] }, { prompt: [[1], [2], [3]] }];
  expect(answers.map((request) => estimatePrompt(request).answers)).toEqual([2, 1, 3]);
});
