import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { modelFileText } from "../../src/catalog/add.ts";
import { factsOf, readGguf } from "../../src/catalog/gguf.ts";
import { parseModelFile } from "../../src/catalog/load.ts";
import { EmbeddingsResponse } from "../../src/contract/embeddings.ts";
import { startCovey, type TestCovey } from "../covey.ts";
import { post } from "../e2e/wire.ts";
import { writeMiniLmGguf } from "./minilm-gguf.ts";
import { farthest, floatsOf, REFERENCE } from "./reference.ts";

/** A GGUF embedding model of the user's own, by the same route, in llama.cpp. */

setDefaultTimeout(60_000);

const KEY = "sk-admin-fedcba9876543210fedcba98";
const headers = { authorization: `Bearer ${KEY}` };
let folder: string;
let covey: TestCovey;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "covey-gguf-"));
  await writeMiniLmGguf(join(folder, "minilm.gguf"));
  writeFileSync(
    join(folder, "minilm.toml"),
    `id = "mine/minilm"
name = "MiniLM in GGUF"
category = "embeddings"
context_length = 512
[embeddings]
dimensions = 384
min_dimensions = 64
[weights]
file = "minilm.gguf"
`,
  );
  covey = await startCovey({
    toml: `[models]\nfolders = ["${folder}"]\n[engine]\npreload = false\nthreads = 1\n`,
    env: { COVEY_ADMIN_KEY: KEY },
  });
});
afterAll(async () => {
  await covey.close();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (fields: object, path = "embeddings"): Promise<Response> =>
  post(`${covey.url}/v1/${path}`, { model: "mine/minilm", ...fields }, { headers });

/** Not those with characters that the two tokenisers read differently. */
const rows = REFERENCE.filter(({ text, ids }) => ids.length < 512 && !/[日😀]|^x{9}/u.test(text));

test("its embeddings are the reference implementation's, whichever runtime makes them", async () => {
  const answer = await ask({ input: rows.map(({ text }) => text), encoding_format: "base64" });
  expect(answer.status).toBe(200);
  const { data, usage } = EmbeddingsResponse.parse(await answer.json());
  expect(usage.prompt_tokens).toBe(rows.reduce((sum, { ids }) => sum + ids.length, 0));
  for (const [at, { text, vector }] of rows.entries()) {
    const { embedding } = data[at] ?? {};
    const far = farthest(typeof embedding === "string" ? floatsOf(embedding) : [], vector);
    expect({ text, far: far < 1e-3 ? "near" : far }).toEqual({ text, far: "near" });
  }
});

test("it is shortened where its file says that it may be, to length 1 again", async () => {
  const body = EmbeddingsResponse.parse(
    await (await ask({ input: "The cat sat on the mat.", dimensions: 64 })).json(),
  );
  const { embedding = [] } = body.data[0] ?? {};
  if (typeof embedding === "string") throw new Error("numbers were asked for");
  expect(embedding.length).toBe(64);
  expect(Math.hypot(...embedding)).toBeCloseTo(1, 5);
  const short = await ask({ input: "x", dimensions: 32 });
  expect(short.status).toBe(400);
  expect(await short.json()).toMatchObject({ error: { param: "dimensions" } });
});

test("pulling it would write a model file that says what it makes", async () => {
  const facts = factsOf(await readGguf(join(folder, "minilm.gguf")));
  expect(facts).toMatchObject({ contextLength: 512, embeds: true });
  const reference = { repo: "me/minilm", revision: "main", file: "minilm.gguf" };
  const { file } = parseModelFile(modelFileText("me/minilm", reference, facts, "2026-01-31"), "x");
  expect(file).toMatchObject({ category: "embeddings", modalities: { output: ["embedding"] } });
});

test("engines of all kinds share the memory: one that is idle makes room for another", async () => {
  const small = await startCovey({
    toml: `[models]\nfolders = ["${folder}"]\n[engine]\npreload = false\nmemory_budget = "450MiB"\n`,
    env: { COVEY_ADMIN_KEY: KEY },
  });
  const states = () =>
    small.app.local
      .snapshot()
      .filter(({ state }) => state !== "cold" && state !== "too_big")
      .map(({ model, engine, state }) => `${model} ${engine} ${state}`);
  try {
    const embed = (name: string) =>
      post(`${small.url}/v1/embeddings`, { model: name, input: "x" }, { headers });
    expect((await embed("all-minilm")).status).toBe(200);
    expect(states()).toEqual(["sentence-transformers/all-MiniLM-L6-v2 embeddings ready"]);
    expect((await embed("mine/minilm")).status).toBe(200);
    expect(states()).toEqual(["mine/minilm embeddings ready"]);
    const chat = { model: "tinyllama", messages: [{ role: "user", content: "x" }] };
    const refused = await post(`${small.url}/v1/chat/completions`, chat, { headers });
    expect(refused.status).toBe(503);
    expect(await refused.text()).toContain("of memory and the budget is 472 MB");
  } finally {
    await small.close();
  }
});

test("its tokens are told and taken, a text that is too long is refused, and it has no chats", async () => {
  const [row] = rows;
  const tokens = await ask({ input: row?.text }, "tokenize");
  expect(await tokens.json()).toMatchObject({ tokens: row?.ids, max_model_len: 512 });
  expect((await ask({ input: row?.ids })).status).toBe(200);
  const long = await ask({ input: "word ".repeat(600) });
  expect(await long.json()).toMatchObject({ error: { code: "context_length_exceeded" } });
  const cut = await ask({ input: "word ".repeat(600), truncate: true });
  expect(await cut.json()).toMatchObject({ usage: { prompt_tokens: 512 } });
  const chat = await ask({ messages: [{ role: "user", content: "x" }] }, "chat/completions");
  expect(chat.status).toBe(400);
  expect(JSON.stringify(await chat.json())).toContain("makes embeddings: use /v1/embeddings");
});
