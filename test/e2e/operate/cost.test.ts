import { afterEach, expect, test } from "bun:test";
import type { CallRow } from "../../../src/store/index.ts";
import { startCovey, type TestCovey } from "../../covey.ts";
import { callIdOf, chatBody, endedRow, post, until } from "../wire.ts";

/** What calls are charged, from a provider's wire to the call log. */

let close: (() => Promise<void>) | null = null;
afterEach(async () => {
  await close?.();
  close = null;
});

const PRICE = "price = { prompt = 10, cached = 1, completion = 100 }";
const told = { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107 };
const cached = { ...told, prompt_tokens_details: { cached_tokens: 60 } };
/** In billionths: (100 - 60) × 10,000 + 60 × 1,000 + 7 × 100,000. */
const BY_PRICE = 400_000 + 60_000 + 700_000;

/** Resolves when the model `silent` was asked, which never says anything. */
let asked = Promise.withResolvers<void>();

/** A Covey before a provider whose answers end in this usage; the model `hangs` says three words and no more. */
async function priced(usage: object, price: string): Promise<TestCovey> {
  const words = ["one", " two", " three"];
  asked = Promise.withResolvers();
  const upstream = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch: async (request) => {
      const { stream, model } = JSON.parse(await request.text());
      if (model === "silent") {
        asked.resolve();
        return await new Promise<never>(() => undefined);
      }
      const choice = (delta: object, finish_reason: string | null) => ({
        choices: [{ index: 0, delta, finish_reason }],
      });
      if (stream !== true) {
        const message = { role: "assistant", content: words.join("") };
        return Response.json({ choices: [{ index: 0, message, finish_reason: "stop" }], usage });
      }
      const events = [
        ...words.map((content) => choice({ content }, null)),
        ...(model === "hangs" ? [] : [choice({}, "stop"), { choices: [], usage }]),
      ];
      return new Response(
        new ReadableStream({
          start: (controller) => {
            for (const event of events) controller.enqueue(`data: ${JSON.stringify(event)}\n\n`);
            if (model !== "hangs") controller.close();
          },
        }),
        { headers: { "content-type": "text/event-stream" } },
      );
    },
  });
  const covey = await startCovey({
    toml: `[engine]\npreload = false\n[providers.p]\nbase_url = "http://127.0.0.1:${upstream.port}"\nmodels = [{ id = "m" }, { id = "hangs" }, { id = "silent" }]\n${price}\n`,
  });
  close = async () => {
    await covey.close();
    await upstream.stop(true);
  };
  return covey;
}

async function charged(covey: TestCovey, stream: boolean): Promise<CallRow> {
  const body = chatBody("m", "Hello", { stream });
  const answer = await post(`${covey.url}/v1/chat/completions`, body);
  expect(answer.status).toBe(200);
  await answer.text();
  return await endedRow(covey, callIdOf(answer));
}

test.each<[string, object, string, number | null, number | null]>([
  ["by its price, cached tokens as such", cached, PRICE, BY_PRICE, null],
  ["what its provider says, and both are kept", { ...cached, cost: 0.5 }, PRICE, 5e8, 5e8],
  ["nothing where its provider says zero", { ...cached, cost: 0 }, PRICE, 0, 0],
  ["nobody knows what, without a price", told, "", null, null],
  ["what its provider says, without a price", { ...told, cost: "0.000001" }, "", 1000, 1000],
  ["nothing where the price is zero", told, "price = { prompt = 0, completion = 0 }", 0, null],
])("a call is charged %s", async (_what, usage, price, cost, theirs) => {
  const covey = await priced(usage, price);
  for (const stream of [false, true]) {
    expect(await charged(covey, stream)).toMatchObject({
      cost_nano_usd: cost,
      provider_cost_nano_usd: theirs,
      cached_tokens: usage === told || price === "" ? 0 : expect.any(Number),
    });
  }
});

test("a client that leaves pays for the prompt and for what had come", async () => {
  const covey = await priced(told, PRICE);
  const leaving = new AbortController();
  const answer = await post(
    `${covey.url}/v1/chat/completions`,
    chatBody("hangs", "Hello", { stream: true }),
    { signal: leaving.signal },
  );
  const reader = answer.body?.getReader();
  let text = "";
  await until(async () => {
    text += new TextDecoder().decode((await reader?.read())?.value);
    return text.includes("three") ? true : null;
  }, "three words");
  leaving.abort();
  const row = await endedRow(covey, callIdOf(answer));
  expect(row).toMatchObject({ status: "cancelled", completion_tokens: 3 });
  expect(row.prompt_tokens).toBeGreaterThan(0);
  expect(row.cost_nano_usd).toBe(row.prompt_tokens * 10_000 + 3 * 100_000);
});

test("OpenRouter's shape tells its callers what the log has", async () => {
  const covey = await priced({ ...cached, cost: 0.25 }, PRICE);
  const answer = await post(`${covey.url}/api/v1/chat/completions`, chatBody("m", "Hello"));
  expect(await answer.json()).toMatchObject({ usage: { cost: 0.25 } });
  const row = await endedRow(covey, callIdOf(answer));
  expect(row.cost_nano_usd).toBe(250_000_000);
});

/** A client that leaves before the model `silent` has said a word. */
async function left(covey: TestCovey, path: string, body: object): Promise<CallRow> {
  const leaving = new AbortController();
  const answer = post(covey.url + path, body, { signal: leaving.signal }).catch(() => null);
  await asked.promise;
  leaving.abort();
  await answer;
  return await until(async () => {
    const [last] = await covey.app.store.calls.listCalls({ limit: 1 });
    return last?.status === "cancelled" ? last : null;
  }, "the call has ended");
}

test("a client that leaves before the first word pays for the prompt that was sent", async () => {
  const covey = await priced(told, PRICE);
  const body = chatBody("silent", "x".repeat(400), { stream: true });
  const row = await left(covey, "/v1/chat/completions", body);
  expect(row).toMatchObject({
    prompt_tokens: 100,
    completion_tokens: 0,
    usage_source: "estimated",
  });
  expect(row.cost_nano_usd).toBe(100 * 10_000);
});

test("one that leaves a whole answer, of which nobody sees how far it is, pays for the longest that it asked for", async () => {
  const covey = await priced(told, PRICE);
  const body = chatBody("silent", "x".repeat(400), { max_tokens: 50 });
  expect(await left(covey, "/v1/chat/completions", body)).toMatchObject({
    prompt_tokens: 100,
    completion_tokens: 50,
    usage_source: "estimated",
    cost_nano_usd: 100 * 10_000 + 50 * 100_000,
  });
});

test("one that leaves while vectors are made pays for its texts", async () => {
  const covey = await priced(told, PRICE);
  const body = { model: "silent", input: ["x".repeat(300), "x".repeat(100)] };
  expect(await left(covey, "/v1/embeddings", body)).toMatchObject({
    prompt_tokens: 100,
    completion_tokens: 0,
    cost_nano_usd: 100 * 10_000,
  });
});
