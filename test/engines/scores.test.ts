import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { ChatResponse } from "../../src/contract/chat.ts";
import { CompletionChunkBody } from "../../src/contract/completions.ts";
import {
  chatRequest,
  completionRequest,
  contextFor,
  replyTo,
  sharedBackend,
  TIMEOUT,
  target,
  tokensOf,
} from "./local-backend.ts";

setDefaultTimeout(TIMEOUT);
beforeAll(() => sharedBackend().preload("tinyllama"));

const PROMPT = "The capital of France is";

type Completed = CompletionChunkBody["choices"][number];

/** The pieces of the answer to one prompt: one, or as many as were streamed. */
async function pieces(fields: object, prompt: string | number[] = PROMPT): Promise<Completed[]> {
  const operation = sharedBackend().operations.completions;
  if (operation === undefined) throw new Error("the backend has no completions");
  const reply = await operation(target, completionRequest(prompt, fields), contextFor());
  const bodies: unknown[] = [];
  if (reply.kind === "json") bodies.push(reply.body);
  else for await (const group of reply.events) bodies.push(...group);
  return bodies.flatMap((body) => CompletionChunkBody.parse(body).choices);
}

async function completed(fields: object, prompt?: string | number[]): Promise<Completed> {
  const [piece] = await pieces(fields, prompt);
  if (piece === undefined) throw new Error("no answer");
  return piece;
}

/** The tokens of an answer with their scores. */
async function scored(fields: object, prompt?: string): Promise<Scores> {
  return scoresOf(await completed({ logprobs: 1, ...fields }, prompt));
}

interface Scores {
  readonly tokens: readonly string[];
  readonly logprobs: readonly (number | null)[];
  readonly offsets: readonly number[];
}

function scoresOf({ logprobs }: Completed): Scores {
  const { tokens = [], token_logprobs: scores = [], text_offset: offsets = [] } = logprobs ?? {};
  return { tokens, logprobs: scores, offsets };
}

async function chosen(content: string, fields: object) {
  const reply = await replyTo(chatRequest(content, fields));
  if (reply.kind !== "json") throw new Error("not whole");
  const [choice] = ChatResponse.pick({ choices: true }).parse(reply.body).choices;
  return { choice, usage: reply.usage };
}

test("a chat's tokens make up its text, each with the likeliest ones in its place", async () => {
  const fields = { max_tokens: 8, logprobs: true, top_logprobs: 3 };
  const { choice } = await chosen("What is the capital of France?", fields);
  const content = choice?.logprobs?.content ?? [];
  expect(content).toHaveLength(8);
  expect(content.map(({ token }) => token).join("")).toBe(choice?.message.content ?? "");
  for (const { token, logprob, bytes, top_logprobs: top } of content) {
    expect(Buffer.from(bytes ?? []).toString()).toBe(token);
    expect(top).toHaveLength(3);
    // Temperature 0 takes the likeliest.
    expect(top[0]).toMatchObject({ token, logprob });
    const probabilities = top.map((each) => Math.exp(each.logprob));
    expect(probabilities).toEqual(probabilities.toSorted((a, b) => b - a));
    expect(probabilities.reduce((sum, each) => sum + each)).toBeLessThan(1.0001);
  }
});

test("with tools beside it, too, a stop string's tokens are not told", async () => {
  const question = "What is the capital of France?";
  const tool = { name: "weather", parameters: { type: "object" } };
  const tools = [{ type: "function", function: tool }];
  const fields = { max_tokens: 10, logprobs: true, tools };
  const whole = await chosen(question, fields);
  const tokens = whole.choice?.logprobs?.content?.map(({ token }) => token) ?? [];
  const stop = tokens.slice(3, 6).join("");
  const { choice } = await chosen(question, { ...fields, stop });
  expect(choice?.finish_reason).toBe("stop");
  const told = choice?.logprobs?.content?.map(({ token }) => token) ?? [];
  expect(told).toEqual(tokens.slice(0, 3));
  expect(told.join("").trimEnd()).toBe(choice?.message.content?.trimEnd() ?? "");
});

test("the numbers are the model's own, whatever samplers change", async () => {
  const plain = await scored({ max_tokens: 3 });
  const bent = await scored({
    max_tokens: 3,
    temperature: 2,
    top_k: 1,
    repetition_penalty: 1.01,
    seed: 5,
  });
  expect(bent.tokens).toEqual(plain.tokens);
  expectClose(bent.logprobs, plain.logprobs);
});

/** A state made from a prompt differs a little from one made token by token. */
function expectClose(some: Scores["logprobs"], others: Scores["logprobs"]): void {
  expect(some).toHaveLength(others.length);
  for (const [index, score] of some.entries())
    expect(Math.abs((score ?? 99) - (others[index] ?? 0))).toBeLessThan(0.3);
}

test("a prompt's scores are those its tokens have as an answer", async () => {
  const answer = await scored({ max_tokens: 4 });
  const text = PROMPT + answer.tokens.join("");
  const whole = await completed({ max_tokens: 0, logprobs: 1, echo: true }, text);
  expect(whole).toMatchObject({ text, finish_reason: "length" });
  const { tokens, logprobs, offsets } = scoresOf(whole);
  expect(tokens.slice(-4)).toEqual([...answer.tokens]);
  // The marker that every text begins with follows nothing.
  expect([tokens[0], logprobs[0], whole.logprobs?.top_logprobs?.[0]]).toEqual(["<s>", null, null]);
  expectClose(logprobs.slice(-4), answer.logprobs);
  for (const [index, offset] of offsets.entries())
    if (index > 0) expect(text.slice(offset)).toStartWith(tokens[index] ?? "?");
});

test("echo puts the prompt in front, also of a stream and of tokens", async () => {
  const alone = await completed({ max_tokens: 3 });
  expect((await completed({ max_tokens: 3, echo: true })).text).toBe(PROMPT + alone.text);
  const streamed = await pieces({ max_tokens: 3, echo: true, stream: true });
  expect(streamed.map(({ text }) => text).join("")).toBe(PROMPT + alone.text);
  const tokens = [1, 450, 7483, 310, 3444, 338];
  expect((await completed({ max_tokens: 3, echo: true }, tokens)).text).toBe(PROMPT + alone.text);
});

test("a stream's pieces carry the scores of their tokens, and none of a stop string's", async () => {
  const { text } = await completed({ max_tokens: 8 });
  const { tokens } = await scored({ max_tokens: 8 });
  const stop = tokens.slice(3, 5).join("");
  const parts = await pieces({ max_tokens: 8, logprobs: 1, stream: true, stop });
  const spoken = parts.map((part) => part.text).join("");
  expect(spoken).toBe(text.slice(0, text.indexOf(stop)));
  expect(parts.flatMap((part) => scoresOf(part).tokens)).toEqual(tokens.slice(0, 3));
  expect(parts.at(-1)?.finish_reason).toBe("stop");
  const included = { max_tokens: 8, stop, include_stop_str_in_output: true };
  expect((await completed(included)).text).toBe(spoken + stop);
});

test("a stop token ends the answer, and is no part of it", async () => {
  const { text } = await completed({ max_tokens: 6 });
  const tokens = await tokensOf(PROMPT + text);
  const third = tokens.at(-4) ?? 0;
  const { text: before, finish_reason } = await completed({
    max_tokens: 6,
    stop_token_ids: [third],
  });
  expect(finish_reason).toBe("stop");
  expect(await tokensOf(PROMPT + before)).toEqual(tokens.slice(0, -4));
});

test("what ended the answer is part of it where asked for, the model's own end only as a special token", async () => {
  const question = "What is the capital of France?";
  const said = async (fields: object) => {
    const { choice } = await chosen(question, { max_tokens: 60, ...fields });
    expect(choice?.finish_reason).toBe("stop");
    return choice?.message.content;
  };
  const text = await said({});
  const included = { include_stop_str_in_output: true };
  expect(await said(included)).toBe(text);
  expect(await said({ ...included, skip_special_tokens: false })).toBe(`${text}</s>`);
  const guided = { ...included, guided_json: { type: "boolean" } };
  expect(await said(guided)).toMatch(/^(true|false)$/);
  expect(await said({ ...guided, skip_special_tokens: false })).toMatch(/^(true|false)$/);
});

test("an answer goes on where it must not end yet", async () => {
  const question = "What is the capital of France?";
  const short = await chosen(question, { max_tokens: 60 });
  const ended = short.usage?.completion_tokens ?? 0;
  expect(short.choice?.finish_reason).toBe("stop");
  const forced = await chosen(question, { max_tokens: 60, ignore_eos: true });
  expect(forced.usage?.completion_tokens).toBe(60);
  const longer = await chosen(question, { max_tokens: 60, min_tokens: ended + 3 });
  expect(longer.usage?.completion_tokens).toBeGreaterThanOrEqual(ended + 3);
});
