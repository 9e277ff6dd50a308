import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  backendWith,
  chat,
  chatRequest,
  complete,
  completionRequest,
  contextFor,
  replyTo,
  sharedBackend,
  TIMEOUT,
  tokensOf,
} from "./local-backend.ts";

setDefaultTimeout(TIMEOUT);
beforeAll(() => sharedBackend().preload("tinyllama"));

const story = { temperature: 1, seed: 11, max_tokens: 16 };

test("a question is answered, ends at the model's own end, and is counted", async () => {
  const answer = await chat(chatRequest("What is the capital of France?"));
  expect(answer.text).toContain("Paris");
  expect(answer.finish).toBe("stop");
  expect(answer.prompt).toBe(24);
  expect(answer.completion).toBeGreaterThan(5);
});

test("a stream and a whole answer with the same seed are the same", async () => {
  const whole = await chat(chatRequest("Tell me a story.", story));
  const streamed = await chat(chatRequest("Tell me a story.", { ...story, stream: true }));
  // The second one goes on from the first one's prompt.
  expect({ ...streamed, cached: whole.cached }).toEqual(whole);
});

test("a seed gives one text, another seed another, and no seed a new one each time", async () => {
  const ask = (seed: number | null) => chat(chatRequest("Tell me a story.", { ...story, seed }));
  const texts = [];
  for (const seed of [1, 1, 2, null, null]) texts.push((await ask(seed)).text);
  expect(texts[1]).toBe(texts[0] ?? "");
  expect(new Set(texts).size).toBe(4);
});

test("temperature 0 takes the likeliest token, and the defaults do not", async () => {
  const prompt = "The capital of France is";
  const greedy = await complete(completionRequest(prompt, { max_tokens: 6 }));
  const again = await complete(completionRequest(prompt, { max_tokens: 6, seed: 9 }));
  const topOne = await complete(
    completionRequest(prompt, { max_tokens: 6, temperature: 1.5, top_k: 1 }),
  );
  const free = await complete(
    completionRequest(prompt, { max_tokens: 6, temperature: null, seed: 9 }),
  );
  expect(again.text).toBe(greedy.text);
  expect(topOne.text).toBe(greedy.text);
  expect(free.text).not.toBe(greedy.text);
});

test("a stop string that spans tokens ends the answer and no part of it is shown", async () => {
  const question = "What is the capital of France?";
  const { text } = await chat(chatRequest(question));
  const at = text.indexOf("Paris");
  const stop = text.slice(at - 4, at + 3);
  for (const stream of [true, false]) {
    const stopped = await chat(chatRequest(question, { stop: [stop], stream }));
    expect(stopped.text).toBe(text.slice(0, at - 4));
    expect(stopped.finish).toBe("stop");
  }
});

test("an almost complete stop string is part of the answer after all", async () => {
  const question = "What is the capital of France?";
  const plain = await chat(chatRequest(question));
  const almost = `${plain.text.slice(-6)} and more`;
  expect(await chat(chatRequest(question, { stop: almost, stream: true }))).toMatchObject({
    text: plain.text,
    finish: "stop",
  });
});

test("max_tokens ends the answer with length, and every token is counted", async () => {
  const limit = { max_tokens: 5 };
  expect(await chat(chatRequest("Tell me a story.", limit))).toMatchObject({
    finish: "length",
    completion: 5,
  });
  expect(await complete(completionRequest("Once upon a time"))).toMatchObject({
    finish: "length",
    completion: 16,
  });
  expect(await complete(completionRequest("Once", { max_tokens: 0 }))).toMatchObject({
    text: "",
    finish: "length",
    completion: 0,
    prompt: 2,
  });
});

test("a prompt that fills the context is refused with its size", async () => {
  const long = "word ".repeat(2_500);
  const failure = await chat(chatRequest(long)).catch((error) => error);
  expect(failure).toMatchObject({
    kind: "context_length_exceeded",
    param: "messages",
    status: 400,
  });
  expect(failure.message).toMatch(
    /maximum context length is 2048 tokens.*resulted in 25\d\d tokens/,
  );
});

test("a prompt far beyond the context is refused without being tokenised first", async () => {
  const endless = completionRequest("word ".repeat(2_000_000));
  const failure = await complete(endless).catch((error) => error);
  expect(failure).toMatchObject({ kind: "context_length_exceeded", param: "prompt" });
  expect(failure.message).toContain("at least 625000 tokens");
});

test("an answer ends with length where the context does", async () => {
  const small = backendWith({ contextSize: 256, sequences: 1 });
  const tokens = Array.from({ length: 253 }, (_, index) => (index === 0 ? 1 : 278));
  const fields = { max_tokens: 50, logit_bias: { "2": -100 } };
  const answer = await complete(completionRequest(tokens, fields), 0, contextFor(), small);
  await small.close?.();
  expect(answer).toMatchObject({ finish: "length", prompt: 253, completion: 3 });
});

test("emoji made of several byte tokens come out whole", async () => {
  const prompt = "Repeat: 🙂🙃🚀日本🙂🙃🚀日本🙂🙃🚀日本🙂🙃🚀";
  for (let max_tokens = 1; max_tokens < 12; max_tokens += 2) {
    const { text } = await complete(completionRequest(prompt, { max_tokens }));
    expect(text).not.toContain("\u{FFFD}");
    expect(text.isWellFormed()).toBe(true);
  }
  const { text } = await complete(completionRequest(prompt, { max_tokens: 20, stream: true }));
  expect(text).toMatch(/[\u{1F600}-\u{1F6FF}]|日本/u);
  expect(text).not.toContain("\u{FFFD}");
});

test("logit_bias bans and forces tokens, the end token too", async () => {
  const plain = await complete(completionRequest("The capital of France is", { max_tokens: 1 }));
  const [, banned = -1] = await tokensOf(`x${plain.text}`);
  const other = await complete(
    completionRequest("The capital of France is", {
      max_tokens: 1,
      logit_bias: { [banned]: -100 },
    }),
  );
  expect(other.text).not.toBe(plain.text);
  const ended = await chat(chatRequest("Tell me a story.", { logit_bias: { "2": 100 } }));
  expect(ended).toMatchObject({ text: "", finish: "stop", completion: 1 });
});

test("presence and frequency penalties look at the answer and not at the prompt", async () => {
  const prompt = "one one one one one one one one";
  const plain = await complete(completionRequest(prompt, { max_tokens: 6 }));
  expect(plain.text).toBe(" one one one one one one");
  const punished = await complete(
    completionRequest(prompt, { max_tokens: 6, frequency_penalty: 2, presence_penalty: 2 }),
  );
  expect(punished.text.startsWith(" one")).toBe(true);
  expect(punished.text).not.toBe(plain.text);
  const repetition = await complete(
    completionRequest(prompt, { max_tokens: 6, repetition_penalty: 5 }),
  );
  expect(repetition.text.startsWith(" one")).toBe(false);
});

test("DRY breaks a loop and XTC leaves the likeliest tokens out", async () => {
  const prompt = "one two three one two three one two three";
  const ask = async (fields: object) =>
    (await complete(completionRequest(prompt, { max_tokens: 14, ...fields }))).text;
  const loop = await ask({});
  expect(loop).toStartWith(" one two three one two three");
  const dry = await ask({ dry_multiplier: 3, dry_allowed_length: 1 });
  expect(dry).not.toContain("one two three one two three");
  const without = await ask({ temperature: 1, seed: 3, xtc_probability: 1, xtc_threshold: 0.01 });
  expect(without).not.toStartWith(" one");
});

test("what the engine leaves out is told, what it can't do is refused", async () => {
  const context = contextFor();
  await replyTo(chatRequest("Hi", { store: true, stream: true }), context);
  expect([...context.dropped]).toEqual(["store"]);
  const spoken = { modalities: ["audio"] };
  await expect(replyTo(chatRequest("Hi", spoken))).rejects.toMatchObject({
    kind: "invalid_request",
    param: "modalities",
  });
});

test("several prompts are several choices, token lists among them, counted together", async () => {
  const prompts = ["The capital of France is", "One, two, three,"];
  const request = completionRequest(prompts, { max_tokens: 4 });
  const alone = [];
  for (const prompt of prompts)
    alone.push(await complete(completionRequest(prompt, { max_tokens: 4 })));
  for (const index of [0, 1])
    expect(await complete(request, index)).toMatchObject({
      text: alone[index]?.text ?? "",
      completion: 8,
    });
  const tokens = await complete(
    completionRequest([1, 450, 7483, 310, 3444, 338], { max_tokens: 4 }),
  );
  expect(tokens.text).toBe(alone[0]?.text ?? "");
});

test("the meter shows what was used while the answer is made", async () => {
  const context = contextFor();
  const reply = await replyTo(
    chatRequest("Tell me a story.", { stream: true, max_tokens: 8 }),
    context,
  );
  if (reply.kind !== "stream") throw new Error("expected a stream");
  expect(context.meter.source).toBe("none");
  const seen: number[] = [];
  for await (const _ of reply.events) seen.push(context.meter.completionTokens);
  expect(context.meter).toMatchObject({ source: "counted", promptTokens: 23, completionTokens: 8 });
  expect(seen.length).toBeGreaterThan(4);
  expect(context.meter.firstTokenAt).toBeGreaterThan(context.meter.startedAt);
});

test("what one key asked is not read from the cache for another, unless prefixes are shared", async () => {
  const request = chatRequest("The code word is marzipan, keep it to yourself.", { max_tokens: 2 });
  const cachedFor = async (backend = sharedBackend()): Promise<number[]> => {
    const counts: number[] = [];
    for (const key of ["key_a", "key_a", "key_b"])
      counts.push((await chat(request, contextFor(undefined, key), backend)).cached);
    return counts;
  };
  const [, own = 0, other] = await cachedFor();
  expect(own).toBeGreaterThan(20);
  expect(other).toBe(0);
  const sharing = backendWith({ sharedPrefixes: true });
  const [, , shared] = await cachedFor(sharing);
  await sharing.close?.();
  expect(shared).toBe(own);
});

test("a conversation that goes on is read from the cache", async () => {
  const first = chatRequest("My name is Bo. Say hello to me in a whole long sentence, please.");
  const answer = await chat(first);
  const next = {
    ...first,
    messages: [
      ...first.messages,
      { role: "assistant" as const, content: answer.text },
      { role: "user" as const, content: "Thanks." },
    ],
  };
  const { cached, prompt } = await chat(next);
  expect(cached).toBeGreaterThan(answer.prompt - 4);
  expect(cached).toBeLessThan(prompt);
});

test("no stop string ends an answer before it has min_tokens, and no other model's token is one", async () => {
  const asked = { max_tokens: 12, temperature: 0, stop: [" ", "1", "2", ","] };
  const prompt = "1, 2, 1, 2, 1, 2,";
  const least = await complete(completionRequest(prompt, { ...asked, min_tokens: 6 }));
  expect(least.finish).toBe("stop");
  expect(least.completion).toBe(7);
  expect(least.text).toContain(",");
  const soon = await complete(completionRequest(prompt, asked));
  expect(soon.completion).toBeLessThan(3);
  const odd = completionRequest(prompt, { stop_token_ids: [2, 99_999] });
  await expect(complete(odd)).rejects.toMatchObject({
    kind: "invalid_request",
    param: "stop_token_ids[1]",
  });
  const context = contextFor();
  const listed = completionRequest(
    [
      [1, 450],
      [1, 99_999],
    ],
    { max_tokens: 1 },
  );
  await expect(complete(listed, 0, context)).rejects.toMatchObject({ param: "prompt[1][1]" });
  // Nothing was done for the first one either.
  expect(context.meter).toMatchObject({ startedAt: 0, promptTokens: 0 });
});

test("a form ends where it does, whatever stop tokens are in it", async () => {
  /** Of Llama 2's vocabulary: 1, 2 and a comma. */
  const stop_token_ids = [29_896, 29_906, 29_892];
  const ask = (fields: object) =>
    complete(completionRequest("1, 2, 1, 2,", { max_tokens: 40, temperature: 0, ...fields }));
  const formed = await ask({ stop_token_ids, guided_regex: "[12],[12],[12]" });
  expect(formed).toMatchObject({ finish: "stop", text: expect.stringMatching(/^[12],[12],[12]$/) });
  const words = await ask({ stop_token_ids });
  expect(words.text.trim()).toBe("");
});

test("no other tokens come than the allowed ones, and of a form only those", async () => {
  /** Of Llama 2's vocabulary: 1 and 2. */
  const allowed_token_ids = [29_896, 29_906];
  const ask = (fields: object) =>
    complete(completionRequest("1, 2, 3, 4,", { max_tokens: 6, allowed_token_ids, ...fields }));
  for (const fields of [
    { temperature: 0 },
    { temperature: 1.5, seed: 3 },
    { temperature: 1, top_k: 2 },
  ]) {
    const { text, finish } = await ask(fields);
    expect(text).toMatch(/^[12]{6}$/);
    expect(finish).toBe("length");
  }
  expect((await ask({ temperature: 2, guided_regex: "[13579]+" })).text).toBe("111111");
  await expect(ask({ guided_regex: "[3-9]+" })).rejects.toMatchObject({ kind: "invalid_request" });
  await expect(ask({ allowed_token_ids: [99_999] })).rejects.toMatchObject({
    kind: "invalid_request",
    param: "allowed_token_ids[0]",
  });
});
