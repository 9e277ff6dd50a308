import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { PlaygroundAnswer, PlaygroundModels } from "../../src/contract/playground.ts";
import { lacking } from "../../src/lib/engine-installed.ts";
import { startCovey, type TestCovey } from "../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { ADMIN_KEY, makeKey } from "./keys/made.ts";
import { FAKE_KEY, fakeConfig, post } from "./wire.ts";

/** The playground's own endpoints: the pipeline's, in the shapes that its pages read. */

/** One pixel. */
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

let upstream: FakeUpstream;
let covey: TestCovey;
let blind: TestCovey;
beforeAll(async () => {
  upstream = fakeUpstream();
  const toml = fakeConfig(upstream, ["echo", "able"]).replace(
    '{ id = "able" }',
    '{ id = "able", modalities = { input = ["text", "image"] } }',
  );
  covey = await startCovey({ toml, env: { FAKE_KEY } });
  blind = await startCovey({ toml: fakeConfig(upstream, ["echo"]), env: { FAKE_KEY } });
});
afterAll(async () => {
  await covey.close();
  await blind.close();
  await upstream.close();
});

const chat = { model: "echo", messages: [{ role: "user", content: "Write a hello world" }] };

test("a chat is OpenAI's answer, with its text where a page looks for it", async () => {
  const response = await post(`${covey.url}/api/chat`, chat);
  const body = PlaygroundAnswer.parse(await response.json());
  expect(response.status).toBe(200);
  expect(body).toMatchObject({ object: "chat.completion", success: true, model: "echo" });
  expect(body.data.content).toBe(body.choices[0]?.message.content ?? "");
  expect(body.data.content).not.toBe("");
});

test("a stream is OpenAI's", async () => {
  const response = await post(`${covey.url}/api/chat`, { ...chat, stream: true });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  expect(await response.text()).toEndWith("data: [DONE]\n\n");
});

test("a prompt without messages is told where it belongs, at every chat endpoint", async () => {
  for (const path of ["/api/chat", "/v1/chat/completions"]) {
    const response = await post(`${covey.url}${path}`, { prompt: "hi" });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { param: "messages", message: expect.stringContaining("POST /v1/completions") } },
    ]);
  }
});

test("an error says that there is no answer, and goes into the call log by its path", async () => {
  const response = await post(`${covey.url}/api/chat`, { ...chat, model: "none" });
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({
    success: false,
    error: { type: "invalid_request_error", param: "model", code: "model_not_found" },
  });
  const wrong = await fetch(`${covey.url}/api/chat`);
  expect(wrong.status).toBe(405);
  expect(await wrong.json()).toMatchObject({ success: false });
});

describe.each(["vision", "ocr"])("a picture at /api/%s", (name) => {
  const ask = (fields: object, at = covey) => post(`${at.url}/api/${name}`, fields);

  test.each([
    ["a data URI", `data:image/png;base64,${PNG}`],
    ["bare base64", PNG],
    ["one of several", [PNG, `data:image/png;base64,${PNG}`]],
  ])("as %s reaches the model that is named", async (_, image) => {
    const response = await ask({ model: "able", image, prompt: "What is it?" });
    const body = PlaygroundAnswer.parse(await response.json());
    expect(body.data.content).toContain("I see image/png");
  });

  test("without a model goes to one that can do it", async () => {
    const response = await ask({ image: PNG });
    const here = name === "ocr" && lacking(["onnxruntime-node", "sharp"]) === null;
    expect(await response.json()).toMatchObject({
      success: true,
      model: here ? "covey/ocr" : "able",
    });
  });

  test("is refused by what the caller sent, not by what was made of it", async () => {
    const refused: [fields: object, param: string][] = [
      [{ model: "able" }, "image"],
      [{ model: "able", image: "" }, "image"],
      [{ model: "able", image: "ftp://example.com/a.png" }, "image"],
      [{ model: "able", image: "data:image/png;base64,AAAA%" }, "image"],
      [{ model: "able", image: PNG, temperature: "hot" }, "temperature"],
    ];
    for (const [fields, param] of refused) {
      const response = await ask(fields);
      expect([response.status, await response.json()]).toMatchObject([
        400,
        { success: false, error: { param } },
      ]);
    }
  });
});

test("without a model a key gets one of its own and of its plan, and hears of no other", async () => {
  const seeing = ["able", "echo"].map((id) => [
    `{ id = "${id}" }`,
    `{ id = "${id}", modalities = { input = ["text", "image"] } }`,
  ]);
  const toml = seeing.reduce(
    (text, [from = "", to = ""]) => text.replace(from, to),
    fakeConfig(upstream, ["able", "echo"]),
  );
  const plans = '[plans.echo]\nmodels = ["ech*"]\n[plans.none]\nmodels = ["nothing"]\n';
  const keyed = await startCovey({
    toml: `${toml}\n${plans}`,
    env: { FAKE_KEY, COVEY_ADMIN_KEY: ADMIN_KEY },
  });
  try {
    for (const fields of [{ models: ["echo"] }, { plan: "echo" }]) {
      const { headers } = await makeKey(keyed, fields);
      for (const path of ["/api/vision", "/api/ocr"]) {
        const response = await post(`${keyed.url}${path}`, { image: PNG }, { headers });
        expect(await response.json()).toMatchObject({ success: true, model: "echo" });
      }
    }
    for (const fields of [{ models: ["nothing"] }, { plan: "none" }]) {
      const { headers } = await makeKey(keyed, fields);
      const refused = await post(`${keyed.url}/api/vision`, { image: PNG }, { headers });
      expect(refused.status).toBe(400);
      expect(await refused.json()).toMatchObject({
        error: { message: expect.stringContaining("No model that you may use takes images") },
      });
      // The reader is there, where its packages are: it is what the key may not use.
      if (lacking(["onnxruntime-node", "sharp"]) !== null) continue;
      const unread = await post(`${keyed.url}/api/ocr`, { image: PNG }, { headers });
      expect([unread.status, await unread.json()]).toMatchObject([
        403,
        {
          success: false,
          error: {
            code: "model_not_allowed",
            param: "model",
            message: expect.stringContaining("'covey/ocr'"),
          },
        },
      ]);
    }
  } finally {
    await keyed.close();
  }
});

test("where no model sees, it is said what to do", async () => {
  const response = await post(`${blind.url}/api/vision`, { image: PNG });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: { message: expect.stringContaining("No model here takes images"), param: "model" },
  });
});

test("models are searched by name and category", async () => {
  const get = async (path: string) =>
    PlaygroundModels.parse(await (await fetch(`${covey.url}${path}`)).json());
  const all = await get("/api/models");
  expect(all.data.map(({ id }) => id)).toEqual(expect.arrayContaining(["echo", "able"]));
  const found = await get("/api/search?q=ABL");
  expect(found.data.map(({ id }) => id)).toEqual(["able"]);
  // As a form sends it whose boxes were left alone.
  expect((await get("/api/search?q=&category=&sort=")).data.length).toBe(all.data.length);
  expect((await get("/api/search?q=Qwen&category=coding")).data).toEqual([]);
  const bad = await fetch(`${covey.url}/api/search?category=nonsense`);
  expect([bad.status, await bad.json()]).toMatchObject([
    400,
    { success: false, error: { param: "category" } },
  ]);
});
