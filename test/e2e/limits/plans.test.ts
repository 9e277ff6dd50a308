import { afterAll, beforeAll, expect, test } from "bun:test";
import type { AccountConcurrency, AccountPlan } from "../../../src/contract/account.ts";
import { startCovey, type TestCovey } from "../../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../../fake-upstream.ts";
import { ADMIN_KEY, bearer, chat, jsonOf, makeKey } from "../keys/made.ts";
import {
  callIdOf,
  chatBody,
  endedRow,
  FAKE_KEY,
  fakeConfig,
  frames,
  post,
  until,
} from "../wire.ts";

/** Keys on plans: what the limits say, and what is left of them. */

const MODELS = ["echo", "story-20", "slow-400", "endless-20", "cut-7", "bare"];
const PLANS = `[routing.models.cut-7]
context_fallback = "bare"
[plans.fast]
requests_per_minute = 3
[plans.tokens]
tokens_per_minute = 3000
[plans.little]
tokens_per_minute = 500
[plans.narrow]
concurrency = 2
models = ["Endless-*"]
[plans.paid]
budget = "0.01/day"
[limits]
default_max_tokens = 500
`;
const PRICE = `price = { prompt = 1, completion = 10 }
prices = { bare = { prompt = 10000, completion = 10000 } }
`;

let upstream: FakeUpstream;
let covey: TestCovey;

beforeAll(async () => {
  upstream = fakeUpstream();
  covey = await startCovey({
    toml: fakeConfig(upstream, MODELS, PLANS) + PRICE,
    env: { FAKE_KEY, COVEY_ADMIN_KEY: ADMIN_KEY },
  });
});
afterAll(async () => {
  await covey.close();
  await upstream.close();
});

type Told = { error: { code: string; type: string; message: string; doc_url?: string } };
const errorOf = async (answer: Response): Promise<Told["error"]> =>
  (await jsonOf<Told>(answer)).error;
const planOf = async (key: string): Promise<AccountPlan> =>
  jsonOf<AccountPlan>(await fetch(`${covey.url}/v1/plan`, { headers: bearer(key) }));
const concurrencyOf = async (key: string): Promise<AccountConcurrency> =>
  jsonOf<AccountConcurrency>(
    await fetch(`${covey.url}/account/concurrency`, { headers: bearer(key) }),
  );

test("requests past the minute's are 429 with the seconds until the next, and every answer says what is left", async () => {
  const { key } = await makeKey(covey, { plan: "fast" });
  const left = [];
  for (let n = 0; n < 3; n++) {
    const answer = await chat(covey, key, "echo");
    expect(answer.status).toBe(200);
    left.push(answer.headers.get("x-ratelimit-remaining-requests"));
  }
  expect(left).toEqual(["2", "1", "0"]);
  const refused = await chat(covey, key, "echo");
  expect(refused.status).toBe(429);
  expect(await errorOf(refused)).toMatchObject({
    type: "rate_limit_error",
    code: "rate_limit_exceeded",
  });
  const after = Number(refused.headers.get("retry-after"));
  expect(after).toBeGreaterThan(50);
  expect(after).toBeLessThanOrEqual(60);
  expect(refused.headers.get("x-ratelimit-remaining-requests")).toBe("0");
  const reset = Date.parse(refused.headers.get("x-ratelimit-reset-requests") ?? "") - Date.now();
  expect(reset).toBeGreaterThan(50_000);
  expect(reset).toBeLessThanOrEqual(60_000);
});

test("nobody's limits are told to somebody whose key is none", async () => {
  const told = (answer: Response) => answer.headers.get("x-ratelimit-limit");
  expect(told(await post(`${covey.url}/v1/chat/completions`, chatBody("echo", "hi")))).toBe("600");
  const refused = await chat(covey, "sk-covey-none", "echo");
  expect([refused.status, told(refused)]).toEqual([401, null]);
});

test("a prompt whose letters are more than a minute's tokens is answered, and costs the minute what it took", async () => {
  const { key } = await makeKey(covey, { plan: "tokens" });
  const messages = [{ role: "user", content: "some words of a long letter ".repeat(200) }];
  const answer = await chat(covey, key, "story-20", { messages, max_tokens: 20 });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("x-ratelimit-remaining-tokens")).toBe("0");
  const { usage } = await jsonOf<{ usage: { total_tokens: number } }>(answer);
  expect((await planOf(key)).tokens_per_minute.remaining).toBe(
    Math.max(0, 3000 - usage.total_tokens),
  );
  const longer = [{ role: "user", content: "some words of a long letter ".repeat(400) }];
  expect((await chat(covey, key, "story-20", { messages: longer })).status).toBe(400);
});

test("tokens are set aside with the answer's limit, which is sent upstream, and given back", async () => {
  const { key } = await makeKey(covey, { plan: "tokens" });
  const answer = await chat(covey, key, "story-20");
  const during = Number(answer.headers.get("x-ratelimit-remaining-tokens"));
  expect(answer.headers.get("x-ratelimit-limit-tokens")).toBe("3000");
  expect(during).toBeLessThan(2500);
  expect(upstream.requests.at(-1)?.body.max_tokens).toBe(500);
  const { usage } = await jsonOf<{ usage: { total_tokens: number } }>(answer);
  const { tokens_per_minute } = await planOf(key);
  expect(tokens_per_minute).toEqual({ limit: 3000, remaining: 3000 - usage.total_tokens });
  await (await chat(covey, key, "story-20", { max_tokens: 5, n_predict: 90_000 })).text();
  expect(upstream.requests.at(-1)?.body).not.toHaveProperty("n_predict");
  const large = await chat(covey, key, "story-20", { max_tokens: 3000 });
  expect(large.status).toBe(400);
  expect((await errorOf(large)).message).toContain("max_tokens");
});

test("a request without max_tokens takes what its minute has left, and one that must wait is told of max_tokens", async () => {
  const { key } = await makeKey(covey, { plan: "little" });
  expect((await chat(covey, key, "echo")).status).toBe(200);
  const left = (await planOf(key)).tokens_per_minute.remaining ?? 0;
  expect(left).toBeLessThan(500);
  const second = await chat(covey, key, "endless-20", { stream: true });
  expect([second.status, second.headers.get("x-ratelimit-remaining-tokens")]).toEqual([200, "0"]);
  const sent = Number(upstream.requests.at(-1)?.body.max_tokens);
  expect(sent).toBeGreaterThan(200);
  expect(sent).toBeLessThan(left);
  const third = await chat(covey, key, "echo");
  expect(third.status).toBe(429);
  expect((await errorOf(third)).message).toMatch(/\d+ of them for its answer.*lower max_tokens/);
  await second.body?.cancel();
});

test("what runs is shown with its units, and past them a request is 429", async () => {
  const { key } = await makeKey(covey, { plan: "narrow" });
  const leaving = new AbortController();
  const both = await Promise.all(
    [0, 1].map(() =>
      post(`${covey.url}/v1/chat/completions`, chatBody("endless-20", "hi", { stream: true }), {
        headers: bearer(key),
        signal: leaving.signal,
      }),
    ),
  );
  for (const answer of both) await frames(answer).next();
  const { requests, ...all } = await concurrencyOf(key);
  expect(all).toEqual({ limit: 2, used_cost: 2, request_count: 2 });
  expect(requests.map(({ id, model, cost }) => ({ id, model, cost }))).toEqual(
    both.map((answer) => ({ id: callIdOf(answer), model: "endless-20", cost: 1 })),
  );
  const third = await chat(covey, key, "endless-20");
  expect([third.status, (await errorOf(third)).code]).toEqual([429, "concurrency_limit_exceeded"]);
  leaving.abort();
  await until(async () => ((await concurrencyOf(key)).used_cost === 0 ? true : null), "free again");
});

test("anonymous callers are told how many of them run, and of no call but their own answer's", async () => {
  const leaving = new AbortController();
  const url = `${covey.url}/v1/chat/completions`;
  const answer = await post(url, chatBody("endless-20", "hi", { stream: true }), {
    signal: leaving.signal,
  });
  await frames(answer).next();
  const told = await jsonOf<AccountConcurrency>(await fetch(`${covey.url}/account/concurrency`));
  leaving.abort();
  expect(told).toEqual({ limit: 32, used_cost: 1, request_count: 1, requests: [] });
});

test("a model that is not on the plan is 403, and listed as not available", async () => {
  const { key } = await makeKey(covey, { plan: "narrow" });
  const refused = await chat(covey, key, "echo");
  expect([refused.status, (await errorOf(refused)).code]).toEqual([403, "model_not_allowed"]);
  const list = await fetch(`${covey.url}/v1/models?available_on_current_plan=1`, {
    headers: bearer(key),
  });
  const { data } = await jsonOf<{ data: { id: string }[] }>(list);
  expect(data.map(({ id }) => id)).toEqual(["endless-20"]);
  expect((await planOf(key)).models).toEqual(["Endless-*"]);
});

test("a budget is 402 once the dearest end of a request would pass it, and what was spent is the log's", async () => {
  const { key } = await makeKey(covey, { plan: "paid" });
  const first = await chat(covey, key, "story-20");
  expect(first.status).toBe(200);
  const row = await endedRow(covey, callIdOf(first));
  const cost = (row.cost_nano_usd ?? 0) / 1e9;
  expect(cost).toBeGreaterThan(0);
  const { budget } = await planOf(key);
  expect(budget).toMatchObject({ limit_usd: 0.01, spent_usd: cost, reserved_usd: 0 });
  const dear = await chat(covey, key, "story-20", { max_tokens: 1000 });
  expect(dear.status).toBe(402);
  expect(dear.headers.get("x-should-retry")).toBe("false");
  const error = await errorOf(dear);
  expect(error).toMatchObject({ type: "insufficient_quota", code: "insufficient_quota" });
  expect(error.doc_url).toBe(`${covey.url}/docs/limits`);
  const told = await fetch(`${covey.url}/api/v1/key`, { headers: bearer(key) });
  expect((await jsonOf<{ data: object }>(told)).data).toMatchObject({
    limit: 0.01,
    limit_remaining: (10_000_000 - (row.cost_nano_usd ?? 0)) / 1e9,
    limit_reset: "daily",
  });
  // Less is still to be had.
  expect((await chat(covey, key, "story-20", { max_tokens: 10 })).status).toBe(200);
});

test("a larger model is reckoned with where the key may use it, and nowhere else", async () => {
  const [cheap, all] = [{ plan: "paid", models: ["cut-7"] }, { plan: "paid" }];
  const status = async (settings: object) =>
    (await chat(covey, (await makeKey(covey, settings)).key, "cut-7", { max_tokens: 5 })).status;
  expect([await status(cheap), await status(all)]).toEqual([200, 402]);
});

test("a key's own budget takes the place of its plan's", async () => {
  const { key } = await makeKey(covey, {
    plan: "paid",
    budget: { period: "month", usd: 0.001 },
  });
  expect((await planOf(key)).budget).toMatchObject({ period: "month", limit_usd: 0.001 });
  expect((await chat(covey, key, "story-20")).status).toBe(402);
});
