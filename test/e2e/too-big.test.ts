import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findings } from "../../src/cli/check.ts";
import { greeting } from "../../src/cli/greeting.ts";
import { ErrorBody } from "../../src/contract/errors.ts";
import { Readiness } from "../../src/contract/health.ts";
import { ModelList } from "../../src/contract/models.ts";
import { startCovey, type TestCovey } from "../covey.ts";
import { chatBody, post } from "./wire.ts";

/** Models that take more memory than engines may have: nobody is told that they could answer. */

const STARTER = "TinyLlama/TinyLlama-1.1B-Chat-v1.0";
const WHY =
  /it needs \d+ MB of memory and the budget is 200 MB: raise memory_budget under \[engine\]/;

let covey: TestCovey;
beforeAll(async () => {
  covey = await startCovey({ toml: '[engine]\nthreads = 1\nmemory_budget = "200MB"\n' });
});
afterAll(() => covey.close());

const listed = async (at: TestCovey) =>
  ModelList.parse(await (await fetch(`${at.url}/v1/models`)).json()).data;

test("a request is told at once what is needed, and not to try again", async () => {
  for (const path of ["chat/completions", "completions", "tokenize"])
    for (let times = 0; times < 3; times++) {
      const body = path === "chat/completions" ? chatBody("tinyllama", "Hi") : { prompt: "Hi" };
      const answer = await post(`${covey.url}/v1/${path}`, { model: "tinyllama", ...body });
      expect(answer.status).toBe(503);
      expect(answer.headers.get("x-should-retry")).toBe("false");
      expect(answer.headers.get("retry-after")).toBeNull();
      const { error } = ErrorBody.parse(await answer.json());
      expect(error).toMatchObject({ type: "api_error", code: "model_too_big", param: "model" });
      expect(error.message).toMatch(WHY);
    }
  // Nothing was tried, so nothing failed.
  expect([...covey.app.gateway.health.all(performance.now())]).toEqual([]);
  const states = covey.app.local.snapshot().map(({ model, state }) => [model, state]);
  expect(states).toContainEqual([STARTER, "too_big"]);
});

test("readiness has a state for it, and is none where nothing else can answer", async () => {
  const answer = await fetch(`${covey.url}/health/ready`);
  expect(answer.status).toBe(503);
  const { models } = Readiness.parse(await answer.json());
  const starter = models.find(({ id }) => id === STARTER);
  expect(starter).toMatchObject({ state: "too_big", detail: expect.stringMatching(WHY) });
  expect(models.find(({ id }) => id === "covey/ocr")?.state).toBe("too_big");
});

test("no list has it: not of models, not of upscalers", async () => {
  expect(await listed(covey)).toEqual([]);
  expect(await (await fetch(`${covey.url}/v1/upscalers`)).json()).toEqual([]);
  const one = await fetch(`${covey.url}/v1/models/${STARTER}`);
  expect(one.status).toBe(404);
  expect(ErrorBody.parse(await one.json()).error.message).toMatch(WHY);
});

test("the banner says why, and shows no example with it", () => {
  const banner = greeting(covey.app, "127.0.0.1");
  expect(banner).toMatch(/TinyLlama-1.1B-Chat-v1.0 +local: too big, it needs \d+ MB of memory/);
  expect(banner).not.toContain("ready to load");
  expect(banner).toContain("No model can answer yet");
});

test("'covey check' names each of them, and threads that there are no cores for", async () => {
  const config = join(covey.home, "..", "covey.toml");
  writeFileSync(config, '[engine]\nthreads = 1024\nmemory_budget = "200MB"\n');
  const told = await findings({ config, home: join(covey.home, "..", "other"), port: "0" });
  const wrong = told.filter(({ mark }) => mark === "✗").map(({ text }) => text);
  expect(wrong.join("\n")).toMatch(/engine.threads is 1024, more than the \d+ cores?/);
  expect(wrong.join("\n")).toMatch(
    /too big for the memory budget of 200 MB: .*TinyLlama-1.1B-Chat-v1.0 needs \d+ MB.*; raise memory_budget/,
  );
});

test("what fits is listed beside it, with the context that the engine will really take", async () => {
  const roomy = await startCovey({
    toml: '[engine]\npreload = false\nthreads = 1\nmemory_budget = "900MB"\ncontext_size = 512\n',
  });
  try {
    const models = await listed(roomy);
    expect(models.map(({ id }) => id)).not.toContain("covey/ocr");
    const starter = models.find(({ id }) => id === STARTER);
    expect(starter).toMatchObject({
      context_length: 512,
      max_completion_tokens: 512,
      top_provider: { context_length: 512, max_completion_tokens: 512 },
    });
    const one = await fetch(`${roomy.url}/v1/models/${STARTER}`);
    expect(await one.json()).toMatchObject({ context_length: 512 });
    expect((await fetch(`${roomy.url}/health/ready`)).status).toBe(200);
  } finally {
    await roomy.close();
  }
});

test("where a provider answers for it, the list tells that one's context and price", async () => {
  const both = await startCovey({
    toml: `[engine]
preload = false
memory_budget = "200MB"
[providers.box]
type = "vllm"
base_url = "http://127.0.0.1:1/v1"
discover = false
price = { prompt = 1, completion = 2 }
models = [{ id = "${STARTER}", context_length = 1024 }]
`,
  });
  try {
    const [only] = await listed(both);
    expect(only).toMatchObject({ id: STARTER, context_length: 1_024, providers: ["box"] });
    expect(only?.pricing).toMatchObject({ prompt: "0.000001", completion: "0.000002" });
    const one = await (await fetch(`${both.url}/v1/models/${STARTER}`)).json();
    expect(one).toMatchObject({ context_length: 1_024, providers: ["box"] });
  } finally {
    await both.close();
  }
});
