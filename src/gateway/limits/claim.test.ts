import { expect, test } from "bun:test";
import { ANY_KEY } from "../../../test/any-key.ts";
import { modelNamed } from "../../../test/gateway/targets.ts";
import { targetOf } from "../../catalog/target.ts";
import type { Key, Price } from "../../types.ts";
import { type Candidate, claimOf } from "./claim.ts";
import { type Limits, UNLIMITED } from "./limits.ts";
import type { Plan } from "./plans.ts";

const model = modelNamed("m");
const caller = { keyId: "k", role: "anonymous", key: null } as const;
const chat = { messages: [{ role: "user", content: "x".repeat(300) }] };
/** 300 letters and the role's four, a message, and what templates put around it: at most, and likely. */
const PROMPT = 304 + 16 + 64;
const LIKELY = 102 + 16 + 64;

const plan = (limits: Partial<Limits>): Plan => ({
  name: "p",
  limits: { ...UNLIMITED, ...limits },
  models: [],
  modelsAsWritten: [],
  defaultMaxTokens: 500,
});

const priced = (prompt: number, completion: number): Price => ({
  prompt,
  completion,
  request: 0,
  cached: null,
  image: null,
});

const at = (known: Parameters<typeof targetOf>[3]): Candidate => ({
  model,
  targets: [targetOf(model, "p", "m", { contextLength: 8192, ...known })],
});

const asked = (limits: Partial<Limits>, input: object, ...candidates: Candidate[]) =>
  claimOf(caller, plan(limits), "chat", { ...chat, ...input }, candidates);

test("where neither tokens nor money are limited nothing is counted, and no limit is sent", () => {
  const { claim, maxTokens } = asked({ requestsPerMinute: 5 }, {}, at({}));
  expect([claim.tokens, claim.costNanoUsd, maxTokens]).toEqual([0, null, null]);
});

test("the bound is the prompt and the answer that was asked for, in either of its names", () => {
  for (const input of [{ max_tokens: 40 }, { max_completion_tokens: 40, max_tokens: 9000 }]) {
    const { claim, maxTokens } = asked({ tokensPerMinute: 10_000 }, input, at({}));
    expect([claim.tokens, maxTokens]).toEqual([PROMPT + 40, null]);
    expect(claim.likely?.tokens).toBe(LIKELY + 40);
  }
});

test("a request that says no limit gets the usual one, or what a minute or its targets can hold", () => {
  const of = (limits: Partial<Limits>, candidate: Candidate) =>
    asked(limits, {}, candidate).maxTokens;
  expect([
    of({ tokensPerMinute: 10_000 }, at({})),
    of({ tokensPerMinute: 600 }, at({})),
    of({ tokensPerMinute: 10 }, at({})),
    of({ tokensPerMinute: 10_000 }, at({ maxOutput: 64 })),
  ]).toEqual([500, 600 - PROMPT, 1, 64]);
});

test("a prompt whose letters nearly fill a minute still gets an answer: half of what it likely leaves", () => {
  const { maxTokens } = asked({ tokensPerMinute: 400 }, {}, at({}));
  expect(maxTokens).toBe((400 - LIKELY) / 2);
});

test("such an answer is shortened to what the minute has left, but to no less than half of it or 256", () => {
  const of = (defaultMaxTokens: number, left: number, input = {}) => {
    const limited = { ...plan({ tokensPerMinute: 10_000 }), defaultMaxTokens };
    const { claim, maxTokens } = claimOf(
      caller,
      limited,
      "chat",
      { ...chat, ...input },
      [at({})],
      left,
    );
    return [claim.tokens, claim.answer, maxTokens];
  };
  expect(of(500, 2000)).toEqual([PROMPT + 500, 500, 500]);
  expect(of(500, PROMPT + 300)).toEqual([PROMPT + 300, 300, 300]);
  expect(of(500, PROMPT + 20)).toEqual([PROMPT + 250, 250, 250]);
  expect(of(4096, 0)).toEqual([PROMPT + 256, 256, 256]);
  expect(of(500, 0, { max_tokens: 400 })).toEqual([PROMPT + 400, 400, null]);
});

test("what reads images is not cut where texts usually are: it may have what they can hold, and likely has a page of each", () => {
  const reader = modelNamed("covey/ocr", { engine: "ocr", max_output: 65_536 });
  const page = (count: number) => ({
    type: "image_url",
    image_url: { url: `https://a.b/${count}` },
  });
  const of = (tokensPerMinute: number, pages: number, input = {}, left?: number) => {
    const content = Array.from({ length: pages }, (_, count) => page(count));
    const { claim, maxTokens, most } = claimOf(
      caller,
      plan({ tokensPerMinute }),
      "chat",
      { messages: [{ role: "user", content }], ...input },
      [{ model: reader, targets: [targetOf(reader, "local", "covey/ocr")] }],
      left,
    );
    return [
      maxTokens,
      claim.answer,
      (claim.likely?.tokens ?? 0) - most.promptTokens,
      most.completionTokens,
    ];
  };
  const one = [20_480, 20_480, 4_096, 4_096];
  expect(of(200_000, 1)).toEqual(one);
  expect(of(200_000, 1, {}, 5_000)).toEqual(one);
  expect(of(200_000, 2).slice(0, 3)).toEqual([40_960, 40_960, 8_192]);
  expect(of(200_000, 16)[0]).toBe(65_536);
  expect(of(9_000, 1)[0]).toBeWithin(7_000, 9_000);
  expect(of(200_000, 1, { max_tokens: 100 })).toEqual([null, 100, 100, 100]);
});

test("more than any of its targets gives is not set aside", () => {
  const { claim } = asked(
    { tokensPerMinute: 10_000 },
    { max_tokens: 5000 },
    at({ maxOutput: 100 }),
    at({ maxOutput: 300 }),
  );
  expect(claim.tokens).toBe(PROMPT + 300);
});

test("each prompt of a completion has an answer of its own, and a vector none", () => {
  const limits = plan({ tokensPerMinute: 10_000 });
  const three = { prompt: ["a", "b", "c"], max_tokens: 10 };
  const completion = claimOf(caller, limits, "completions", three, [at({})]);
  expect(completion.claim.tokens).toBe(64 + 2 * 4 + 3 + 30);
  const vector = claimOf(caller, limits, "embeddings", { input: "x".repeat(30) }, [at({})]);
  expect([vector.claim.tokens, vector.maxTokens]).toEqual([94, null]);
});

test("where tokens count, no other name of the answer's limit is sent beside it", () => {
  const more = { max_tokens: 5, n_predict: 90_000, best_of: 50, max_length: null, top_k: 3 };
  expect(asked({ tokensPerMinute: 10_000 }, more, at({})).unsent).toEqual(["n_predict", "best_of"]);
  expect(asked({ requestsPerMinute: 5 }, more, at({})).unsent).toEqual([]);
});

const budget = { period: "day", nanoUsd: 1 } as const;

test("what it may cost is told by the dearest target", () => {
  const cheap = at({ price: priced(1e-7, 1e-6) });
  const dear = at({ price: priced(1e-6, 1e-5) });
  const { claim } = asked({ budget }, { max_tokens: 40 }, cheap, dear);
  expect(claim.costNanoUsd).toBe(PROMPT * 1000 + 40 * 10_000);
  expect(claim.likely?.costNanoUsd).toBe(LIKELY * 1000 + 40 * 10_000);
});

test("what it can have used is known wherever somebody bounds it: a limit of its key's, or the request itself", () => {
  const most = (limits: Partial<Limits>, input: object) => asked(limits, input, at({})).most;
  expect([
    most({ tokensPerMinute: 10_000 }, {}),
    most({}, { max_tokens: 40 }),
    most({}, { max_tokens: 40_000 }),
    most({}, {}),
  ]).toEqual([
    { promptTokens: LIKELY, completionTokens: 500 },
    { promptTokens: 0, completionTokens: 40 },
    { promptTokens: 0, completionTokens: 8192 },
    { promptTokens: 0, completionTokens: 0 },
  ]);
});

test("only what is known to be free needs no budget", () => {
  expect(asked({ budget }, {}, at({ price: priced(0, 0) })).claim.costNanoUsd).toBeNull();
  expect(asked({ budget }, {}, at({ price: null })).claim.costNanoUsd).toBe(0);
});

test("an anonymous call is one unit; a key's is as many as the model's size takes", () => {
  const sized = (parameters: string): Candidate => {
    const large = { ...model, file: { ...model.file, parameters } };
    return { model: large, targets: [targetOf(large, "p", "m", { concurrencyCost: 3 })] };
  };
  const units = (candidate: Candidate, key: boolean) => {
    const by = key ? { ...caller, role: "admin" as const, key: KEY } : caller;
    return claimOf(by, plan({ concurrency: 9 }), "chat", chat, [candidate]).claim.units;
  };
  expect(["1.1B", "15B", "32B", "70B"].map((size) => units(sized(size), true))).toEqual([
    1, 1, 2, 4,
  ]);
  expect([units(sized("unknown"), true), units(sized("70B"), false)]).toEqual([3, 1]);
});

const KEY: Key = { ...ANY_KEY, id: "k", prefix: "sk", name: "k", owner: "o", role: "admin" };
