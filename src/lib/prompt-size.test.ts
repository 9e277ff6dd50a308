import { expect, test } from "bun:test";
import { promptSize } from "./prompt-size.ts";

const LONG = "word ".repeat(3000);
const message = (content: unknown) => ({ messages: [{ role: "user", content }] });

test("whatever of a request may become part of a prompt is counted, in whichever field it stands", () => {
  const requests = [
    { prompt: LONG },
    { prompt: LONG, messages: [] },
    { prompt: "x", suffix: LONG },
    { input: LONG, prompt: "x", messages: [] },
    { ...message("x"), documents: [{ text: LONG }] },
    { ...message("x"), chat_template_kwargs: { told: LONG } },
    { ...message("x"), tools: [{ type: "function", function: { name: "f", description: LONG } }] },
    message([{ type: "text", text: LONG, image_url: { url: "" } }]),
    { messages: [{ role: "user", content: "x", file: 1, more: LONG }] },
  ];
  for (const request of requests) expect(promptSize(request).likely).toBeGreaterThan(5000);
});

test("what is no prompt is not counted, and a picture is one however long its address", () => {
  const settings = {
    model: LONG,
    user: LONG,
    metadata: { a: LONG },
    stop: [LONG],
    max_tokens: 9000,
  };
  const plain = promptSize(message("x"));
  expect(promptSize({ ...message("x"), ...settings })).toEqual(plain);
  const picture = promptSize(message([{ type: "image_url", image_url: { url: LONG } }]));
  expect(picture.media).toBe(1);
  expect(picture.likely - plain.likely).toBeGreaterThan(1400);
  expect(picture.likely - plain.likely).toBeLessThan(1600);
});

test("at most every byte is a token, be it of a digit, of random letters or of a character beyond ASCII", () => {
  for (const text of ["7".repeat(900), "xqj9Zk".repeat(150), "字".repeat(300), "🙂".repeat(225)]) {
    const { most, likely } = promptSize({ prompt: text });
    expect(most).toBeGreaterThanOrEqual(900);
    expect(most).toBeLessThan(1000);
    expect(likely).toBeLessThanOrEqual(most);
  }
});

test("a token that is sent as a number is one; each of several prompts has a beginning of its own", () => {
  const tokens = Array.from({ length: 500 }, (_, index) => index);
  expect(promptSize({ prompt: tokens }).most - promptSize({ prompt: [] }).most).toBe(500);
  const thousand = promptSize({ input: Array.from({ length: 1000 }, () => "a") });
  // A letter, and what a tokenizer puts before and after it.
  expect(thousand.most).toBeGreaterThan(3000);
});
