import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { ChatRequest } from "../../src/contract/chat.ts";
import {
  chat,
  chatRequest,
  complete,
  completionRequest,
  contextFor,
  jsonOf,
  replyTo,
  sharedBackend,
  TIMEOUT,
} from "./local-backend.ts";

setDefaultTimeout(TIMEOUT);
beforeAll(() => sharedBackend().preload("tinyllama"));

const QUESTION = "What is the capital of France?";

/** A context for an answer that begins with this text. */
const after = (prefill: string) => ({ ...contextFor(), prefill });

/** A conversation whose last message is to be continued. */
function begun(content: string, fields: object = {}) {
  return ChatRequest.parse({
    ...chatRequest(QUESTION, fields),
    messages: [
      { role: "user", content: QUESTION },
      { role: "assistant", content },
    ],
    continue_final_message: true,
    add_generation_prompt: false,
  });
}

test("cut anywhere, in a word or after a space, the likeliest answer goes on as if it had not been", async () => {
  const { text, finish, prompt } = await chat(chatRequest(QUESTION));
  expect(finish).toBe("stop");
  for (let cut = 1; cut < text.length; cut += 5) {
    const rest = await chat(chatRequest(QUESTION), after(text.slice(0, cut)));
    expect([cut, text.slice(0, cut) + rest.text, rest.finish]).toEqual([cut, text, "stop"]);
    expect(rest.prompt).toBeGreaterThan(prompt);
  }
});

test("a stream gives only what follows, and counts what it was given as its prompt", async () => {
  const whole = await chat(chatRequest(QUESTION));
  const at = whole.text.indexOf("Paris") + 2;
  const rest = await chat(chatRequest(QUESTION, { stream: true }), after(whole.text.slice(0, at)));
  expect(rest.text).toBe(whole.text.slice(at));
  const total = whole.prompt + whole.completion;
  expect(Math.abs(rest.prompt + rest.completion - total)).toBeLessThanOrEqual(2);
  expect(rest.completion).toBeLessThan(whole.completion);
});

test("a caller goes on with a message of the assistant's in the same way", async () => {
  const { text } = await chat(chatRequest(QUESTION));
  for (const cut of [9, 12, 23, text.length]) {
    const rest = await chat(begun(text.slice(0, cut)));
    expect(text.slice(0, cut) + rest.text).toBe(text);
  }
  await expect(
    replyTo(ChatRequest.parse({ ...begun("x"), messages: [{ role: "user", content: "x" }] })),
  ).rejects.toMatchObject({ status: 400, param: "messages[0].role" });
});

test("an answer that is all there ends with nothing more", async () => {
  const { text } = await chat(chatRequest(QUESTION));
  expect(await chat(chatRequest(QUESTION), after(text))).toMatchObject({
    text: "",
    finish: "stop",
    completion: 1,
  });
});

test("the prompt ends with what was begun, white space and all, and with no token after it", async () => {
  for (const content of ["The capital ", "One\n\n", "Ça, 日本 🙂", " x  ", "a</s>b <|user|>"]) {
    const { tokens } = await jsonOf("tokenize", begun(content));
    if (!Array.isArray(tokens)) throw new Error("no tokens");
    const { text } = await jsonOf("detokenize", { model: "tinyllama", tokens });
    expect(text).toEndWith(`<|assistant|>\n${content}`);
    expect(tokens.filter((token) => token === 2)).toHaveLength(1);
  }
});

test("characters of several tokens and accents are joined whole", async () => {
  const question = "Repeat exactly: naïve 🙂 café 🚀 日本";
  const given = [
    "na",
    "naïve ",
    "naïve 🙂",
    "naïve 🙂 caf",
    "naïve 🙂 café 🚀",
    "naïve 🙂 café 🚀 日",
  ];
  for (const text of given) {
    const rest = await chat(chatRequest(question, { max_tokens: 10, stream: true }), after(text));
    expect(rest.text).not.toBe("");
    expect(text + rest.text).not.toContain("\u{FFFD}");
    expect(text + rest.text).not.toMatch(/ {2}/);
    expect((text + rest.text).isWellFormed()).toBe(true);
  }
});

test("drawn at random, an answer goes on without a role, without itself and without markers", async () => {
  const given = "Once upon a time, in a small vill";
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const fields = { temperature: 0.8, seed, max_tokens: 12 };
    const { text } = await chat(chatRequest("Tell me a story.", fields), after(given));
    expect(text).toMatch(/^(age|a|ag|agers?|ages|es|ain)\b/);
    expect(text).not.toContain("Once upon");
    expect(text).not.toMatch(/<\||<\/?s>|assistant/);
    expect(given + text).not.toMatch(/ {2}/);
  }
});

test("a space at the end of what was begun is neither doubled nor lost", async () => {
  const fields = (seed: number) => ({ temperature: 0.8, seed, max_tokens: 4 });
  for (const seed of [1, 2, 3, 4]) {
    const { text } = await chat(chatRequest(QUESTION, fields(seed)), after("The capital of "));
    expect(text).toMatch(/^\S/);
    const other = await chat(chatRequest(QUESTION, fields(seed)), after("The capital of"));
    expect(other.text).toMatch(/^ \S/);
  }
});

test("a stop string that was begun before the seam ends the answer there", async () => {
  const { text } = await chat(chatRequest(QUESTION));
  const at = text.indexOf("Paris");
  const stop = [text.slice(at - 3, at + 4)];
  const inside = await chat(chatRequest(QUESTION, { stop }), after(text.slice(0, at + 1)));
  expect(inside).toMatchObject({ text: "", finish: "stop" });
  const before = await chat(chatRequest(QUESTION, { stop }), after(text.slice(0, 4)));
  expect(before).toMatchObject({ text: text.slice(4, at - 3), finish: "stop" });
});

test("penalties count what was begun as the answer's own", async () => {
  const given = "one one one one";
  const request = completionRequest("Say: ", { max_tokens: 1, frequency_penalty: 2 });
  const plain = await complete({ ...request, frequency_penalty: 0 }, 0, after(given));
  expect(plain.text).toBe(" one");
  expect((await complete(request, 0, after(given))).text).not.toBe(" one");
});

test("a text to complete goes on from what was made of it, with its limit counted anew", async () => {
  const prompt = "One, two, three, four,";
  const whole = await complete(completionRequest(prompt, { max_tokens: 10 }));
  for (const cut of [1, 4, 6, 7]) {
    const request = completionRequest(prompt, { max_tokens: 4 });
    const rest = await complete(request, 0, after(whole.text.slice(0, cut)));
    expect(whole.text).toStartWith(whole.text.slice(0, cut) + rest.text);
    expect(rest).toMatchObject({ finish: "length", completion: 4 });
  }
  const several = completionRequest(["a", "b"], { max_tokens: 4 });
  await expect(complete(several, 0, after("x"))).rejects.toMatchObject({ fault: "unsupported" });
});

test("an answer that has a form goes on in it, wherever it was cut", async () => {
  const schema = {
    type: "object",
    properties: { city: { type: "string", maxLength: 12 }, large: { type: "boolean" } },
    required: ["city", "large"],
    additionalProperties: false,
  };
  const fields = { max_tokens: 40, guided_json: schema };
  const { text } = await chat(chatRequest(QUESTION, fields));
  expect(JSON.parse(text)).toEqual({ city: expect.any(String), large: expect.any(Boolean) });
  for (let cut = 1; cut < text.length; cut += 7) {
    const rest = await chat(chatRequest(QUESTION, fields), after(text.slice(0, cut)));
    const value = JSON.parse(text.slice(0, cut) + rest.text);
    expect(value).toEqual({ city: expect.any(String), large: expect.any(Boolean) });
    expect(rest.finish).toBe("stop");
  }
});
