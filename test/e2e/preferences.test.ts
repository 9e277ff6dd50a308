import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startCovey, type TestCovey } from "../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { callIdOf, chatBody, endedRow, post } from "./wire.ts";

/** Where callers want to be answered, over the wire: bodies, headers, and what the log says of it. */

let upstream: FakeUpstream;
/** Knows its own models only. */
let strict: FakeUpstream;
let covey: TestCovey;

beforeAll(async () => {
  upstream = fakeUpstream();
  strict = fakeUpstream({ dialect: "vllm" });
  const provider = (id: string, more: string, models: string) => `
[providers.${id}]
base_url = "${upstream.url}"
discover = false
${more}
models = [${models}]
`;
  covey = await startCovey({
    toml: `
[engine]
preload = false
[routing.models."turns"]
strategy = "round-robin"
[routing.models."short"]
context_fallback = "long"
${provider("a", "priority = 0", '{ id = "shared", upstream_id = "echo" }, { id = "turns", upstream_id = "echo" }, { id = "broken", upstream_id = "status-400" }, { id = "short", upstream_id = "contextlength-vllm" }')}
${provider("b", "priority = 1\nprice = { prompt = 1, completion = 2 }", '{ id = "shared", upstream_id = "echo" }, { id = "turns", upstream_id = "echo" }, { id = "other", upstream_id = "echo", aliases = ["another"] }, { id = "moved", upstream_id = "echo", priority = 2 }, { id = "long", upstream_id = "echo" }')}
[providers.gone]
type = "vllm"
base_url = "${strict.url}"
discover = false
models = [{ id = "moved", upstream_id = "nothing" }]
${provider("c", "priority = 0", '{ id = "turns", upstream_id = "echo" }')}
`,
  });
});
afterAll(async () => {
  await covey.close();
  await upstream.close();
  await strict.close();
});

interface Body {
  readonly model?: string;
  readonly error?: { readonly message: string; readonly param: string | null };
}

async function ask(model: string, fields: object = {}, headers: Record<string, string> = {}) {
  const url = `${covey.url}/v1/chat/completions`;
  const answer = await post(url, chatBody(model, "one two", fields), { headers });
  const body = (await answer.json()) as Body;
  return { answer, body, provider: answer.headers.get("x-covey-provider") };
}

describe("one provider of several", () => {
  test.each([
    ["by priority", {}, {}, "a"],
    ["by a pin in the header", {}, { "x-covey-provider": "B" }, "b"],
    ["by order", { order: ["b", "a"] }, {}, "b"],
    ["by exclusion", { ignore: ["a"] }, {}, "b"],
    ["by a list of the only ones", { only: ["b"] }, {}, "b"],
    ["by no list at all", { only: [], quantizations: [] }, {}, "a"],
    ["by a known price that is low enough", { max_price: { prompt: 1, completion: 2 } }, {}, "b"],
  ])("%s", async (_, provider, headers: Record<string, string>, expected) => {
    const { answer, provider: chosen } = await ask("shared", { provider }, headers);
    expect([answer.status, chosen]).toEqual([200, expected]);
    expect(answer.headers.get("x-covey-dropped-params")).toBeNull();
  });

  test("what is not there is told, by its name", async () => {
    for (const { answer, body } of [
      await ask("shared", {}, { "x-covey-provider": "nobody" }),
      await ask("shared", { provider: { only: ["nobody"] } }),
    ]) {
      expect(answer.status).toBe(400);
      expect(body.error).toMatchObject({
        message: "There is no provider 'nobody' here; there are local, a, b, gone, c.",
        param: "provider.only",
      });
    }
    const { answer } = await ask("shared", { provider: { order: ["nobody"], zdr: true } });
    expect(answer.headers.get("x-covey-dropped-params")).toBe("provider.zdr, provider.order");
  });

  test("wishes that leave nobody are 404 and say which rules out whom", async () => {
    const { answer, body } = await ask("shared", { provider: { max_price: { prompt: 0.5 } } });
    expect([answer.status, body.error?.param]).toEqual([404, "provider"]);
    expect(body.error?.message).toContain("Ruled out: a: max_price; b: max_price.");
  });

  test("turns are taken by those of the first priority", async () => {
    const asked: (string | null)[] = [];
    for (let i = 0; i < 6; i++) asked.push((await ask("turns")).provider);
    expect(asked.sort()).toEqual(["a", "a", "a", "c", "c", "c"]);
  });

  test("a session stays where it is", async () => {
    const asked = new Set<string | null>();
    for (let i = 0; i < 6; i++) asked.add((await ask("turns", { session_id: "s1" })).provider);
    expect(asked.size).toBe(1);
  });
});

describe("another model", () => {
  test("is asked where the caller names it, and is the one in the answer and in the log", async () => {
    const { answer, body } = await ask("broken", { models: ["another"] });
    expect([answer.status, body.model]).toEqual([200, "other"]);
    const row = await endedRow(covey, callIdOf(answer));
    expect(row).toMatchObject({ model: "other", provider: "b", status: "completed" });
    expect(row.attempts.map(({ model, error }) => [model, error])).toEqual([
      ["broken", "invalid_request"],
      ["other", null],
    ]);
    expect(row.cost_nano_usd).toBe(row.prompt_tokens * 1000 + row.completion_tokens * 2000);
  });

  test("is asked where the request is too long for the first and the config names it", async () => {
    const { answer, body } = await ask("short");
    expect([answer.status, body.model]).toEqual([200, "long"]);
    expect(await endedRow(covey, callIdOf(answer))).toMatchObject({ model: "long" });
  });

  test("must exist", async () => {
    const { answer, body } = await ask("shared", { models: ["no/such-model"] });
    expect([answer.status, body.error?.param]).toEqual([404, "models"]);
  });

  test("can be named alone, as OpenRouter's clients do", async () => {
    const url = `${covey.url}/v1/chat/completions`;
    const { model: _model, ...body } = chatBody("", "one two") as Record<string, unknown>;
    const answer = await post(url, { ...body, models: ["another"] });
    expect((await answer.json()) as Body).toMatchObject({ model: "other" });
  });
});

test("a provider that does not have the model answers one caller with 404, and the next is asked elsewhere", async () => {
  const answers = [await ask("moved"), await ask("moved"), await ask("moved")];
  expect(answers.map(({ answer, provider }) => [answer.status, provider])).toEqual([
    [404, "gone"],
    [200, "b"],
    [200, "b"],
  ]);
});

test.each([
  [{ plugins: [{ id: "web" }] }, "plugins"],
  [{ chat_template: "{{ messages }}" }, "chat_template"],
  [{ route: "sort" }, "route"],
  [{ provider: "a" }, "provider"],
])("what is ours and can't be done is refused: %j", async (fields, param) => {
  const { answer, body } = await ask("shared", fields);
  expect([answer.status, body.error?.param]).toEqual([400, param]);
});

test("none of what is ours reaches an upstream", async () => {
  const provider = { order: ["a"], require_parameters: false };
  const fields = { provider, models: ["other"], route: "fallback", plugins: [], session_id: "s" };
  await ask("shared", { ...fields, usage: { include: true }, transforms: ["middle-out"] });
  const sent = Object.keys(upstream.requests.at(-1)?.body ?? {});
  expect(sent.sort()).toEqual(["messages", "model"]);
});
