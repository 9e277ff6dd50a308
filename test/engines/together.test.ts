import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { CompletionChunkBody } from "../../src/contract/completions.ts";
import type { StreamEvent } from "../../src/types.ts";
import {
  chat,
  chatRequest,
  completionRequest,
  contextFor,
  jsonOf,
  replyTo,
  sharedBackend,
  TIMEOUT,
  target,
} from "./local-backend.ts";

setDefaultTimeout(TIMEOUT);
beforeAll(() => sharedBackend().preload("tinyllama"));

/** Never ends before its limit: without the end token, `▁<` and `<` it can't begin another turn either. */
const endless = { logit_bias: { "2": -100, "529": -100, "29966": -100 } };

async function streamOf(request: ReturnType<typeof chatRequest>, context = contextFor()) {
  const reply = await replyTo({ ...request, stream: true }, context);
  if (reply.kind !== "stream") throw new Error("expected a stream");
  return reply.events;
}

test("four requests run at once on one model, and a fifth waits its turn", async () => {
  const order: string[] = [];
  const run = async (name: string, max_tokens: number) => {
    const events = await streamOf(chatRequest("Count to ten.", { max_tokens, ...endless }));
    for await (const _ of events) if (!order.includes(name)) order.push(name);
    order.push(`${name} ended`);
  };
  const names = ["a", "b", "c", "d"];
  const four = names.map((name) => run(name, 12));
  const fifth = run("e", 2);
  await Promise.all([...four, fifth]);
  expect(order.slice(0, 4).sort()).toEqual(names);
  expect(order.indexOf("e")).toBeGreaterThan(order.findIndex((entry) => entry.endsWith("ended")));
});

/** Each of them makes an answer in a way of its own. */
const SEEDED = {
  "the library's samplers": { temperature: 1 },
  "our own samplers": { temperature: 1.2, typical_p: 0.9, top_p: 0.95, dry_multiplier: 0.8 },
  "samplers with a memory of their own": { temperature: 1, mirostat_mode: 2, mirostat_tau: 4 },
  "penalties that ask for the logits in full": { temperature: 1, repetition_penalty: 1.2 },
  "a regular expression": { temperature: 1, guided_regex: "[a-z]{2,7}( [a-z]{2,7})*" },
  "a JSON schema": { temperature: 1, guided_json: { type: "array", items: { type: "integer" } } },
  scores: { temperature: 1, logprobs: 3 },
  "scores of its prompt": { temperature: 1, logprobs: 1, echo: true },
  // Computed in large pieces alone, and in small ones beside others.
  "a long prompt": { temperature: 1, prompt: "A story of ships, and of the sea. ".repeat(15) },
} as const;

test("a seed gives the same answer alone and in company, whatever makes it", async () => {
  const requests = Object.entries(SEEDED).map(
    ([name, fields], seed) =>
      [name, completionRequest("Once upon a time", { seed, max_tokens: 10, ...fields })] as const,
  );
  const alone: Record<string, Choice> = {};
  for (const [name, request] of requests) alone[name] = await choiceOf(request);
  // One without a seed beside them, whose batches are of any size.
  const other = chat(chatRequest("Who are you?", { max_tokens: 40, ...endless }));
  const together = requests.map(
    async ([name, request]) => [name, await choiceOf(request)] as const,
  );
  const answers: Record<string, Choice> = Object.fromEntries(await Promise.all(together));
  await other;
  expect(answers).toEqual(alone);
  const texts = Object.values(alone).map(({ text }) => text);
  expect(new Set(texts).size).toBe(texts.length);
}, 240_000);

type Choice = CompletionChunkBody["choices"][number];

/** Text and scores of an answer that isn't streamed. */
async function choiceOf(request: ReturnType<typeof completionRequest>): Promise<Choice> {
  const operation = sharedBackend().operations.completions;
  const reply = await operation?.(target, request, contextFor());
  if (reply?.kind !== "json") throw new Error("expected a whole answer");
  const [choice] = CompletionChunkBody.parse(reply.body).choices;
  if (choice === undefined) throw new Error("expected a choice");
  return choice;
}

test("a long prompt of another request holds a stream up for no more than about a second", async () => {
  const events = await streamOf(chatRequest("Count to ten.", { max_tokens: 40, ...endless }));
  const iterator = events[Symbol.asyncIterator]();
  await iterator.next();
  const long = contextFor();
  const other = chat(chatRequest("some words ".repeat(200), { max_tokens: 1 }), long);
  let last = performance.now();
  let longest = 0;
  let tokensBefore = 0;
  while (!(await iterator.next()).done) {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
    if (long.meter.firstTokenAt === 0) tokensBefore++;
  }
  expect((await other).prompt).toBeGreaterThan(400);
  expect(tokensBefore).toBeGreaterThan(4);
  // The step is made to take half a second; the rest is for a busy machine.
  expect(longest).toBeLessThan(2_000);
});

test("a text that is hard to tokenise holds a stream up no longer", async () => {
  const events = await streamOf(chatRequest("Count to ten.", { max_tokens: 200, ...endless }));
  const iterator = events[Symbol.asyncIterator]();
  await iterator.next();
  let answered = false;
  const other = jsonOf("tokenize", { model: "tinyllama", input: "鑿".repeat(200_000) });
  other.finally(() => {
    answered = true;
  });
  let last = performance.now();
  let longest = 0;
  while (!answered && !(await iterator.next()).done) {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }
  await iterator.return?.();
  expect(await other).toMatchObject({ count: 600_002 });
  // As one piece it takes 8 s on an idle machine; cut into slices, the longest step is 0.3 s.
  expect(longest).toBeLessThan(3_000);
});

test("a cancelled stream ends at once, even in the middle of a prompt, and frees its place", async () => {
  for (const [question, when] of [
    ["some words ".repeat(300), "prefill"],
    ["Count to ten.", "decode"],
  ] as const) {
    const controller = new AbortController();
    const context = contextFor(controller.signal);
    const events = await streamOf(chatRequest(question, { max_tokens: 200, ...endless }), context);
    const iterator = events[Symbol.asyncIterator]();
    if (when === "decode") await iterator.next();
    const next = drain(iterator);
    if (when === "prefill") await until(() => context.meter.startedAt > 0);
    const aborted = performance.now();
    controller.abort();
    expect(await next).toMatchObject({ kind: "client_closed" });
    expect(performance.now() - aborted).toBeLessThan(100);
    const { completionTokens } = context.meter;
    expect(await chat(chatRequest("Hi", { max_tokens: 1 }))).toMatchObject({ completion: 1 });
    expect(context.meter.completionTokens).toBe(completionTokens);
  }
  expect(sharedBackend().snapshot()[0]).toMatchObject({ running: 0, waiting: 0 });
});

test("a reader that stops reading stops the work", async () => {
  const events = await streamOf(chatRequest("Count to ten.", { max_tokens: 400, ...endless }));
  for await (const _ of events) break;
  await until(() => sharedBackend().snapshot()[0]?.running === 0);
});

test("a request that is aborted before it starts is never run", async () => {
  const controller = new AbortController();
  controller.abort();
  const context = contextFor(controller.signal);
  await expect(chat(chatRequest("Hi"), context)).rejects.toMatchObject({ kind: "client_closed" });
  expect(context.meter.startedAt).toBe(0);
});

/** Reads to the end; resolves with the error it ended in. */
async function drain(iterator: AsyncIterator<readonly StreamEvent[]>): Promise<unknown> {
  try {
    while (!(await iterator.next()).done);
    return "ended";
  } catch (error) {
    return error;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
