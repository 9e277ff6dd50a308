import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { startStarterCovey, type TestCovey } from "../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { oracle } from "../oracle.ts";
import { expectChatRules, expectCompletionRules } from "./stream-rules.ts";
import { callIdOf, chatBody, FAKE_KEY, fakeConfig, post, readStream } from "./wire.ts";

/** Every answer in OpenAI's own shape, from the embedded model and from upstreams good and sloppy. */

const STARTER = "TinyLlama/TinyLlama-1.1B-Chat-v1.0";
const SOURCES = [
  ["a good upstream", "echo"],
  ["a sloppy upstream", "bare"],
  ["the embedded model", STARTER],
] as const;
const TEXT = "The capital of France is Paris, ";

// The starter model writes on one thread.
setDefaultTimeout(30_000);

let upstream: FakeUpstream;
let covey: TestCovey;

beforeAll(async () => {
  upstream = fakeUpstream();
  covey = await startStarterCovey({
    toml: fakeConfig(upstream, ["echo", "bare", "tools"]),
    env: { FAKE_KEY },
  });
});
afterAll(async () => {
  await covey.close();
  await upstream.close();
});

const chat = (model: string, fields: object = {}) =>
  post(`${covey.url}/v1/chat/completions`, chatBody(model, TEXT, { max_tokens: 6, ...fields }));
const complete = (model: string, fields: object = {}) =>
  post(`${covey.url}/v1/completions`, { model, prompt: TEXT, max_tokens: 6, ...fields });
const STREAM = { stream: true };
const WITH_USAGE = { stream: true, stream_options: { include_usage: true } };

describe.each(SOURCES)("from %s", (_, model) => {
  test("a chat answer", async () => {
    const answer = await chat(model);
    const body: { choices: object[] } = await json(answer);
    oracle("CreateChatCompletionResponse")(body);
    expect(body).toMatchObject({
      id: callIdOf(answer),
      model,
      choices: [{ index: 0, logprobs: null, message: { role: "assistant", refusal: null } }],
      usage: {
        prompt_tokens_details: { cached_tokens: expect.any(Number) },
        cache_read_input_tokens: expect.any(Number),
        cache_creation_input_tokens: 0,
      },
    });
    expect(JSON.stringify(body)).not.toContain('"system_fingerprint":null');
  });

  test("a chat stream, its usage only when asked for", async () => {
    const plain = await chat(model, STREAM);
    expect(plain.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expectChatRules(await readStream(plain), { usage: false });
    const read = await readStream(await chat(model, WITH_USAGE));
    expectChatRules(read, { usage: true });
    const { completion_tokens } = read.chunks.at(-1)?.usage ?? {};
    expect(completion_tokens).toBe(6);
  });

  test("completions of a text", async () => {
    const body = await json(await complete(model));
    oracle("CreateCompletionResponse")(body);
    expect(body).toMatchObject({ model, choices: [{ index: 0, logprobs: null }] });
    expectCompletionRules(await readStream(await complete(model, STREAM)), { usage: false });
    expectCompletionRules(await readStream(await complete(model, WITH_USAGE)), { usage: true });
  });
});

test.each(["echo", STARTER])("several prompts, several choices: %s", async (model) => {
  const prompt = ["One, two, ", "Red, green, "];
  const body: { choices: { index: number }[] } = await json(await complete(model, { prompt }));
  oracle("CreateCompletionResponse")(body);
  expect(body.choices.map(({ index }) => index)).toEqual([0, 1]);
  const read = await readStream(await complete(model, { prompt, ...WITH_USAGE }));
  expectCompletionRules(read, { usage: true, choices: 2 });
});

test("a tool call, whole and in pieces", async () => {
  const tools = [{ type: "function", function: { name: "weather", parameters: {} } }];
  const body = await json(await chat("tools", { tools }));
  oracle("CreateChatCompletionResponse")(body);
  const read = await readStream(await chat("tools", { tools, ...WITH_USAGE }));
  expectChatRules(read, { usage: true });
  const calls = read.chunks.flatMap(({ choices }) =>
    choices.flatMap(({ delta }) => Reflect.get(delta ?? {}, "tool_calls") ?? []),
  );
  expect(calls[0]).toEqual({
    index: 0,
    id: "call_1",
    type: "function",
    function: { name: "weather", arguments: "" },
  });
  expect(calls.slice(1).every((call) => !("id" in call))).toBe(true);
  expect(calls.map((call) => call.function.arguments).join("")).toBe('{"city": "Paris"}');
});

test("the models, listed and one by one", async () => {
  const list: { data: { id: string; category: string }[] } = await json(
    await fetch(`${covey.url}/v1/models`),
  );
  oracle("ListModelsResponse")(list);
  expect(list.data.map(({ id }) => id)).toEqual(
    expect.arrayContaining([STARTER, "echo", "bare", "tools"]),
  );
  for (const { id, category } of list.data) {
    const item = await json(await fetch(`${covey.url}/v1/models/${id}`));
    oracle("Model")(item);
    expect(item).toMatchObject({ id, category });
  }
  const alias = await json(await fetch(`${covey.url}/v1/models/TINYLLAMA`));
  expect(alias).toMatchObject({ id: STARTER });
});

test("a request id is echoed when it is one, and is ours when it is not", async () => {
  const paths = ["/health", "/v1/models", "/v1/models/none", "/nothing"];
  const idOf = async (answer: Promise<Response>) => (await answer).headers.get("x-request-id");
  const ids = async (sent: string) => {
    const headers = { "x-request-id": sent };
    const gets = paths.map((path) => idOf(fetch(covey.url + path, { headers })));
    const body = chatBody("echo", "hi");
    const bad = chatBody("echo", "hi", { n: 2 });
    const posts = [body, bad].map((b) =>
      idOf(post(`${covey.url}/v1/chat/completions`, b, { headers })),
    );
    return await Promise.all([...gets, ...posts]);
  };
  expect(await ids("my/req-1:2")).toEqual(Array(6).fill("my/req-1:2"));
  for (const wrong of ["two words", "<script>", "x".repeat(200)]) {
    const own = await ids(wrong);
    expect(own.every((id) => /^(req|chatcmpl)-[0-9a-z]{26}$/.test(id ?? ""))).toBe(true);
    expect(new Set(own).size).toBe(own.length);
  }
});

/** A body of the shape that the test expects; what it says of it is what is then held against it. */
async function json<T>(answer: Response): Promise<T> {
  expect(answer.status).toBe(200);
  return JSON.parse(await answer.text());
}
