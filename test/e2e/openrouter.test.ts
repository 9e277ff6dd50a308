import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ModelList } from "../../src/contract/models.ts";
import {
  Credits,
  EndpointList,
  Generation,
  KeyInfo,
  ModelsCount,
  OPENROUTER_BASES,
  OpenRouterChatChunk,
  OpenRouterError,
  OpenRouterModel,
  OpenRouterStreamError,
  ProviderList,
} from "../../src/contract/openrouter.ts";
import { listen } from "../../src/http/server.ts";
import { startCovey, type TestCovey } from "../covey.ts";
import { type FakeUpstream, fakeUpstream, UPSTREAM_SECRET } from "../fake-upstream.ts";
import { NO_KEYS } from "../no-keys.ts";
import { callIdOf, chatBody, FAKE_KEY, fakeConfig, frames, post, readStream } from "./wire.ts";

/** The same server in OpenRouter's dialect, as it is on the wire. */

const KEY = "sk-admin-fedcba9876543210fedcba98";
const admin = { authorization: `Bearer ${KEY}` };

let upstream: FakeUpstream;
let covey: TestCovey;

beforeAll(async () => {
  upstream = fakeUpstream();
  const more = `[auth]
allow_anonymous = true
[stream]
first_byte_delay = "100ms"
keepalive = "200ms"
`;
  const models = ["acme/echo", "error-50", "status-500", "gap-350"];
  const named = `[providers.featherless]
base_url = "${upstream.url}"
api_key_env = "FAKE_KEY"
models = [{ id = "acme/able", upstream_id = "able", context_length = 4096 }]
price = { prompt = 1, completion = 2.5 }
`;
  covey = await startCovey({
    toml: fakeConfig(upstream, models, more) + named,
    env: { FAKE_KEY, COVEY_ADMIN_KEY: KEY },
  });
});
afterAll(async () => {
  await covey.close();
  await upstream.close();
});

const get = (path: string, headers = {}) => fetch(covey.url + path, { headers });

describe.each([...OPENROUTER_BASES])("below %s", (base) => {
  const chat = (model: string, fields: object = {}) =>
    post(`${covey.url}${base}/chat/completions`, chatBody(model, "one two three", fields));

  test("an answer tells its provider by name, its native finish reason and its usage", async () => {
    const answer = await chat("acme/able");
    expect(answer.headers.get("x-generation-id")).toBe(callIdOf(answer));
    expect(await answer.json()).toMatchObject({
      id: callIdOf(answer),
      model: "acme/able",
      provider: "Featherless AI",
      system_fingerprint: null,
      choices: [
        {
          message: { role: "assistant", content: "one two three" },
          finish_reason: "stop",
          native_finish_reason: "stop",
        },
      ],
      // 7 at $1 and 3 at $2.50 a million.
      usage: { prompt_tokens: 7, completion_tokens: 3, cost: 0.0000145, is_byok: false },
    });
  });

  test("a stream tells its usage unasked, and every event fits the contract", async () => {
    const { chunks, done, text } = await readStream(await chat("acme/echo", { stream: true }));
    expect({ done, text }).toEqual({ done: true, text: "one two three" });
    for (const chunk of chunks) OpenRouterChatChunk.parse(chunk);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 3 } });
    expect(chunks.at(-2)).toMatchObject({
      choices: [{ finish_reason: "stop", native_finish_reason: "stop" }],
    });
  });

  test("a stream that fails ends in a chunk with the error, without [DONE]", async () => {
    const { chunks, done, text } = await readStream(await chat("error-50", { stream: true }));
    expect({ done, text }).toEqual({ done: false, text: "one two " });
    const last = OpenRouterStreamError.parse(chunks.at(-1));
    expect(last).toMatchObject({
      id: String(Reflect.get(Object(chunks[0]), "id")),
      error: { code: 502, metadata: { provider_name: "fake" } },
      choices: [{ index: 0, finish_reason: "error" }],
    });
    expect(JSON.stringify(last)).not.toContain(UPSTREAM_SECRET);
  });

  test("a silent stream is kept alive as OpenRouter does it", async () => {
    const comments: string[] = [];
    for await (const frame of frames(await chat("gap-350", { stream: true }))) {
      if (frame.startsWith(":")) comments.push(frame);
    }
    expect(new Set(comments)).toEqual(new Set([": OPENROUTER PROCESSING"]));
  });

  test.each([
    ["an unknown model", () => chat("none"), 404, "not_found"],
    ["a field out of range", () => chat("acme/echo", { temperature: 3 }), 400, "invalid_request"],
    ["no JSON", () => post(`${covey.url}${base}/completions`, "{"), 400, "invalid_request"],
    [
      "an embedding by no model",
      () => post(`${covey.url}${base}/embeddings`, { model: "none", input: "a" }),
      404,
      "not_found",
    ],
    ["a broken provider", () => chat("status-500"), 502, "provider_unavailable"],
    ["a wrong key", () => get(`${base}/key`, { authorization: "Bearer x" }), 401, "authentication"],
    ["a wrong method", () => get(`${base}/chat/completions`), 405, "invalid_request"],
    ["no such endpoint", () => get(`${base}/nothing`), 404, "not_found"],
    ["a call without an id", () => get(`${base}/generation`), 400, "invalid_request"],
  ] as const)("%s is an error in the dialect", async (_, ask, status, type) => {
    const answer = await ask();
    const { error } = OpenRouterError.parse(await answer.json());
    expect(answer.status).toBe(status);
    expect(error).toMatchObject({ code: status, metadata: { error_type: type } });
  });

  test("models are listed, counted and described under the same base", async () => {
    const list = ModelList.parse(await (await get(`${base}/models?limit=1`)).json());
    expect(list.links.next).toStartWith(`${base}/models?`);
    const next = ModelList.parse(await (await get(String(list.links.next))).json());
    expect(next.data[0]?.id).not.toBe(list.data[0]?.id);
    const { count } = ModelsCount.parse(await (await get(`${base}/models/count`)).json()).data;
    expect(count).toBe(list.total_count);
    const { data } = OpenRouterModel.parse(await (await get(`${base}/model/acme/echo`)).json());
    expect(data.id).toBe("acme/echo");
    const details = EndpointList.parse(await (await get(data.links.details)).json());
    expect(details.data).toMatchObject({
      id: "acme/echo",
      endpoints: [{ tag: "fake", status: 0 }],
    });
    const priced = await get(`${base}/models/acme/able/endpoints`);
    expect(EndpointList.parse(await priced.json()).data.endpoints).toMatchObject([
      {
        name: "Featherless AI | acme/able",
        tag: "featherless",
        context_length: 4096,
        pricing: { prompt: "0.000001", completion: "0.0000025" },
      },
    ]);
  });

  test("filters by what models take and give hold for the list and the count", async () => {
    const count = async (query: string): Promise<number> =>
      ModelsCount.parse(await (await get(`${base}/models/count?${query}`)).json()).data.count;
    expect(await count("supported_parameters=temperature,max_tokens")).toBeGreaterThan(4);
    expect(await count("supported_parameters=telepathy")).toBe(0);
    expect(await count("output_modalities=video")).toBe(0);
  });

  test("providers, the key and what it spent are told", async () => {
    const { data } = ProviderList.parse(await (await get(`${base}/providers`)).json());
    expect(data).toContainEqual(
      expect.objectContaining({ slug: "featherless", name: "Featherless AI" }),
    );
    expect(data.map(({ slug }) => slug)).toContain("local");
    await post(`${covey.url}${base}/chat/completions`, chatBody("acme/able", "a b"), {
      headers: admin,
    });
    await covey.app.store.caughtUp();
    const key = KeyInfo.parse(await (await get(`${base}/key`, admin)).json()).data;
    expect(key).toMatchObject({ label: "admin", limit: null, is_management_key: true });
    const credits = Credits.parse(await (await get(`${base}/credits`, admin)).json()).data;
    expect(key.usage).toBeGreaterThan(0);
    expect(key.usage_daily).toBe(key.usage);
    expect(credits).toEqual({ total_credits: 0, total_usage: key.usage });
  });

  test("a call is told to who made it and to the admin, right after its end, and to nobody else", async () => {
    const [mine, theirs] = await Promise.all([
      chat("acme/echo"),
      post(`${covey.url}${base}/chat/completions`, chatBody("acme/echo", "a b"), {
        headers: admin,
      }),
    ]);
    const ask = async (id: string, headers = {}) => {
      const answer = await get(`${base}/generation?id=${id}`, headers);
      return answer.status === 200 ? Generation.parse(await answer.json()).data : answer.status;
    };
    expect(await ask(callIdOf(mine))).toMatchObject({
      id: callIdOf(mine),
      model: "acme/echo",
      provider_name: "fake",
      streamed: false,
      finish_reason: "stop",
      tokens_prompt: 7,
      tokens_completion: 3,
    });
    expect(await ask(callIdOf(mine), admin)).toMatchObject({ id: callIdOf(mine) });
    expect(await ask(callIdOf(theirs), admin)).toMatchObject({ tokens_completion: 2 });
    expect(await ask(callIdOf(theirs))).toBe(404);
    expect(await ask("chatcmpl-00000000000000000000000000", admin)).toBe(404);
    expect(await ask("../../etc/passwd", admin)).toBe(404);
  });
});

test("while the call log can't be read, that is a 503, and nothing else stops", async () => {
  const server = listen(covey.app.gateway, {
    hostname: "127.0.0.1",
    port: 0,
    maxBodyBytes: 1_000_000,
    keepAliveMs: 15_000,
    idleConnectionS: 10,
    openapi: async () => "{}",
    readiness: () => {
      throw new Error("nobody asks");
    },
    keys: NO_KEYS,
    calls: {
      getCall: () => Promise.reject(new Error("no database")),
      spent: () => Promise.reject(new Error("no database")),
      caughtUp: async () => false,
    },
  });
  const base = `http://127.0.0.1:${server.port}/api/v1`;
  const id = callIdOf(await post(`${base}/chat/completions`, chatBody("acme/echo", "a b")));
  for (const path of ["/key", "/credits", `/generation?id=${id}`]) {
    const answer = await fetch(base + path);
    expect(answer.headers.get("retry-after")).toBe("5");
    const { error } = OpenRouterError.parse(await answer.json());
    expect(error.message).toBe("The call log can't be read just now.");
    expect(error.code).toBe(503);
  }
  await server.stop(true);
});

test("OpenAI's dialect is left as it was beside it", async () => {
  const answer = await post(`${covey.url}/v1/chat/completions`, chatBody("acme/able", "a b"));
  const body = await answer.json();
  expect(body).toMatchObject({ provider: "featherless" });
  expect(body).not.toHaveProperty("choices.0.native_finish_reason");
  expect(answer.headers.get("x-generation-id")).toBeNull();
});
