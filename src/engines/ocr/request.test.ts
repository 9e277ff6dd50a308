import { expect, test } from "bun:test";
import { ChatRequest } from "../../contract/chat.ts";
import { askedImages, refuseOcr, unreadByOcr, unsupportedOcr } from "./request.ts";

const image = (url: string) => ({ type: "image_url", image_url: { url } });
const request = (...messages: readonly object[]) =>
  ChatRequest.parse({ model: "covey/ocr", messages });

test("the images since the last answer are read, in their order, each with its place", () => {
  const found = askedImages(
    request(
      { role: "user", content: [image("https://a.example/old.png")] },
      { role: "assistant", content: "Old text" },
      { role: "user", content: [{ type: "text", text: "and" }, image("https://a.example/1.png")] },
      { role: "user", content: [image("https://a.example/2.png")] },
    ),
  );
  expect(found).toEqual([
    { url: "https://a.example/1.png", param: "messages[2].content[1].image_url.url" },
    { url: "https://a.example/2.png", param: "messages[3].content[0].image_url.url" },
  ]);
});

test("a chat without an image is told what to send, and so is one whose image was answered", () => {
  for (const messages of [
    [{ role: "user", content: "What does it say?" }],
    [
      { role: "user", content: [image("https://a.example/1.png")] },
      { role: "assistant", content: "Text" },
      { role: "user", content: "Translate it" },
    ],
  ])
    expect(() => askedImages(request(...messages))).toThrow(/Send one .*image_url/);
});

test("seventeen images are one too many", () => {
  const many = Array.from({ length: 17 }, () => image("https://a.example/1.png"));
  expect(() => askedImages(request({ role: "user", content: many }))).toThrow(/at most 16/);
});

test("what steers a language model is named as not honoured; limits and boxes are", () => {
  const asked = {
    temperature: 0,
    tools: [],
    max_tokens: 5,
    ocr: { boxes: true },
    n: 1,
    stop: null,
  };
  expect(unsupportedOcr({ model: "covey/ocr", messages: [], ...asked })).toEqual([
    "temperature",
    "tools",
  ]);
});

test("what is said inside of 'ocr' or of an image and does nothing is named", () => {
  const of = (ocr: object | null, more: object) => {
    const image_url = { url: "https://a.example/1.png", ...more };
    const messages = [{ role: "user", content: [{ type: "image_url", image_url }] }];
    return unreadByOcr(ChatRequest.parse({ model: "covey/ocr", messages, ocr }));
  };
  expect(of({ boxes: true, lang: "de" }, { detail: "low", foo: 1 })).toEqual([
    "ocr.lang",
    "messages.content.image_url.foo",
    "messages.content.image_url.detail",
  ]);
  expect(of({ box: true }, { detail: "high" })).toEqual(["ocr.box"]);
  expect(of({ boxes: false }, { detail: "auto" })).toEqual([]);
  expect(of(null, {})).toEqual([]);
});

test("several answers are refused", () => {
  expect(() => refuseOcr({ n: 2 })).toThrow("'n'");
  expect(() => refuseOcr({ n: 1 })).not.toThrow();
});
