import { afterAll, beforeAll, expect, test } from "bun:test";
import { startCovey, type TestCovey } from "../covey.ts";
import { chatBody, post } from "./wire.ts";

/** A provider that answers what no provider should. What it does is named by the model. */

const KEY = "sk-odd-0123456789abcdef0123456789";
/** Names that every object has. */
const INHERITED = ["constructor", "toString", "__proto__", "hasOwnProperty"];
const asked: string[] = [];

const answer = {
  choices: [{ index: 0, text: "x", message: { content: "x" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1, completion_tokens: 1 },
};
const refusal = (status: number, error: object) => Response.json({ error }, { status });

const provider = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: async (request) => {
    if (request.method === "GET") {
      const listed = INHERITED.map((id) => ({ id, supported_parameters: INHERITED }));
      const long = { id: "long", name: "n".repeat(1e6), tags: Array(1e4).fill("t".repeat(1000)) };
      return Response.json({ data: [...listed, long] });
    }
    const { model } = Object(await request.json());
    asked.push(model);
    if (model === "wants-a-key") return refusal(401, { message: "no key" });
    if (model === "repeats-the-key") return refusal(400, { message: "bad", param: KEY });
    return Response.json(answer);
  },
});
let covey: TestCovey;

beforeAll(async () => {
  const url = `http://127.0.0.1:${provider.port}/v1`;
  covey = await startCovey({
    toml: `
[engine]
preload = false
[providers.open]
base_url = "${url}"
discover = true
models = [{ id = "wants-a-key" }]
[providers.keyed]
base_url = "${url}"
api_key_env = "ODD_KEY"
models = [{ id = "repeats-the-key" }]
`,
    env: { ODD_KEY: KEY },
  });
  await covey.app.discovered;
});
afterAll(async () => {
  await covey.close();
  await provider.stop(true);
});

const chat = (model: string, fields: object = {}) =>
  post(`${covey.url}/v1/chat/completions`, chatBody(model, "Hi", fields));

test("one that wants a key and was given none is asked once, and health says why it failed", async () => {
  const { status } = await chat("wants-a-key");
  expect([status, asked.filter((model) => model === "wants-a-key").length]).toEqual([502, 1]);
  const ready = await fetch(`${covey.url}/health/ready`);
  expect(await ready.text()).toContain("refused the gateway (401)");
});

test("one that repeats our key as the name of a parameter does not get it to the caller", async () => {
  const response = await chat("repeats-the-key");
  const text = await response.text();
  expect([response.status, text.includes(KEY)]).toEqual([400, false]);
});

test("an answer to fewer prompts than were sent is none", async () => {
  const body = { model: "long", prompt: ["a", "b"] };
  const response = await post(`${covey.url}/v1/completions`, body);
  expect([response.status, await response.text()]).toEqual([
    502,
    expect.stringContaining("1 of 2 choices"),
  ]);
});

test("models and fields may be called as every object's own properties are", async () => {
  const response = await fetch(`${covey.url}/v1/models?per_page=50`);
  const data: { id: string }[] = Object(await response.json()).data;
  expect(data.map(({ id }) => id)).toEqual(expect.arrayContaining([...INHERITED, "long"]));
  const fields = `"constructor":1,"toString":"x","__proto__":{"n":2},"hasOwnProperty":{}`;
  for (const model of INHERITED) {
    const body = JSON.stringify(chatBody(model, "Hi"));
    const sent = `${body.slice(0, -1)},${fields}}`;
    expect((await post(`${covey.url}/v1/chat/completions`, sent)).status).toBe(200);
  }
});

test("what a list says of one model is kept in bounds", async () => {
  const response = await fetch(`${covey.url}/v1/models/long`);
  expect((await response.text()).length).toBeLessThan(200_000);
});
