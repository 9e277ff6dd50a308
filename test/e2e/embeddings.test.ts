import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { z } from "zod";
import { startCovey, startStarterCovey, type TestCovey } from "../covey.ts";
import { oracle } from "../oracle.ts";
import { callIdOf, endedRow, FAKE_KEY, post } from "./wire.ts";

/** Embeddings, passed through to providers that answer in either form. */

const VECTORS = [
  [0.5, -2, 0.015625],
  [1, 0.25, -0.125],
];
const asBase64 = (numbers: readonly number[] = []): string =>
  Buffer.from(new Float32Array(numbers).buffer).toString("base64");

interface Asked {
  readonly path: string;
  readonly key: string | null;
  readonly body: Record<string, unknown>;
}
const asked: Asked[] = [];
/** Answers every text with the next vector, in the form its path says, the last one first. */
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request): Promise<Response> {
    const path = new URL(request.url).pathname;
    const body = z.record(z.string(), z.unknown()).parse(await request.json());
    asked.push({ path, key: request.headers.get("authorization"), body });
    if (path.startsWith("/refuses")) {
      const error = { message: "dimensions must be at most 3", type: "invalid_request_error" };
      return Response.json({ error }, { status: 400 });
    }
    const inputs = Array.isArray(body.input) ? body.input : [body.input];
    const data = inputs.map((_, index) => ({
      object: "embedding",
      index,
      embedding: path.startsWith("/binary") ? asBase64(VECTORS[index]) : VECTORS[index],
    }));
    // More than any database's number holds, where a server is out of its mind.
    const count = path.startsWith("/absurd") ? 1e300 : 8;
    const told = { usage: { prompt_tokens: count, total_tokens: count } };
    return Response.json({
      object: "list",
      model: "of-the-upstream",
      data: path.startsWith("/short") ? data.slice(1) : data.toReversed(),
      ...(path.startsWith("/uncounted") ? {} : told),
    });
  },
});
afterAll(() => server.stop(true));

let covey: TestCovey;
beforeEach(async () => {
  asked.length = 0;
  const provider = (id: string): string => `
[providers.${id}]
base_url = "http://127.0.0.1:${server.port}/${id}/v1"
api_key_env = "FAKE_KEY"
models = [{ id = "${id}", upstream_id = "up/${id}", price = { prompt = 1, completion = 0 } }]`;
  const ids = ["plain", "binary", "short", "uncounted", "absurd", "refuses"];
  covey = await startCovey({
    toml: `[engine]\npreload = false\n${ids.map(provider).join("\n")}`,
    env: { FAKE_KEY },
  });
});
afterEach(() => covey.close());

const embed = (model: string, fields: object): Promise<Response> =>
  post(`${covey.url}/v1/embeddings`, { model, ...fields });

describe("embeddings", () => {
  test("are those of the provider, under the model's own name, one for each text in order", async () => {
    const answer = await embed("plain", { input: ["one", "two"], dimensions: 3, priority: "low" });
    const body = await answer.json();
    expect(body).toEqual({
      object: "list",
      model: "plain",
      data: VECTORS.map((embedding, index) => ({ object: "embedding", index, embedding })),
      usage: { prompt_tokens: 8, total_tokens: 8 },
    });
    oracle("CreateEmbeddingResponse")(body);
    expect(asked).toEqual([
      {
        path: "/plain/v1/embeddings",
        key: `Bearer ${FAKE_KEY}`,
        body: { model: "up/plain", input: ["one", "two"], dimensions: 3, priority: "low" },
      },
    ]);
    expect(await endedRow(covey, callIdOf(answer))).toMatchObject({
      status: "completed",
      endpoint: "/v1/embeddings",
      provider: "plain",
      prompt_tokens: 8,
      completion_tokens: 0,
      usage_source: "upstream",
    });
  });

  test.each(["plain", "binary"])(
    "come in the form that was asked for, from '%s'",
    async (model) => {
      const forms = [
        [{}, VECTORS[0]],
        [{ encoding_format: "float" }, VECTORS[0]],
        [{ encoding_format: "base64" }, asBase64(VECTORS[0])],
      ] as const;
      for (const [fields, embedding] of forms) {
        const answer = await embed(model, { input: "one", ...fields });
        expect(await answer.json()).toMatchObject({ data: [{ index: 0, embedding }] });
      }
    },
  );

  test.each([
    ["without usage", "uncounted"],
    ["with a usage that can't be", "absurd"],
  ])("%s are counted as an estimate", async (_, model) => {
    const answer = await embed(model, { input: "a text of some words" });
    expect(await answer.json()).toMatchObject({ usage: { prompt_tokens: 5, total_tokens: 5 } });
    const row = await endedRow(covey, callIdOf(answer));
    expect(row).toMatchObject({ prompt_tokens: 5, usage_source: "estimated" });
  });

  test("fewer than texts are no answer", async () => {
    const answer = await embed("short", { input: ["one", "two"] });
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ error: { code: "upstream_error" } });
  });

  test("that the provider refuses are refused with its words", async () => {
    const answer = await embed("refuses", { input: "one", dimensions: 9 });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(await answer.json())).toContain("dimensions must be at most 3");
  });

  test("are refused for an embedded model, which makes none", async () => {
    const starter = await startStarterCovey();
    const body = { model: "tinyllama", input: "one" };
    const answer = await post(`${starter.url}/v1/embeddings`, body);
    await starter.close();
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { param: "model" } });
  });

  test.each([
    [{}, "input"],
    [{ input: "one", encoding_format: null }, "encoding_format"],
    [{ input: ["one", 2] }, "input[1]"],
  ])("are not asked for with %j", async (fields, param) => {
    const answer = await embed("plain", fields);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { param } });
    expect(asked).toEqual([]);
  });
});
