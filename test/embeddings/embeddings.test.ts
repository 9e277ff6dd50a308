import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { EmbeddingsResponse } from "../../src/contract/embeddings.ts";
import { ErrorBody } from "../../src/contract/errors.ts";
import { startCovey, type TestCovey } from "../covey.ts";
import { makeKey } from "../e2e/keys/made.ts";
import { callIdOf, endedRow, post, until } from "../e2e/wire.ts";
import { oracle } from "../oracle.ts";
import { cosine, farthest, floatsOf, REFERENCE } from "./reference.ts";

/** `/v1/embeddings` of the model that comes with `npm install`, through the whole of Covey. */

setDefaultTimeout(60_000);

const MODEL = "sentence-transformers/all-MiniLM-L6-v2";
const DIMENSIONS = 384;
/** Its calls have no limits. */
const KEY = "sk-admin-fedcba9876543210fedcba98";
const headers = { authorization: `Bearer ${KEY}` };

let covey: TestCovey;
beforeAll(async () => {
  covey = await startCovey({ env: { COVEY_ADMIN_KEY: KEY } });
});
afterAll(() => covey.close());

const ask = (fields: object, path = "embeddings"): Promise<Response> =>
  post(`${covey.url}/v1/${path}`, { model: "all-minilm", ...fields }, { headers });

async function vectorsOf(answer: Response): Promise<readonly (readonly number[])[]> {
  expect(answer.status).toBe(200);
  const { data } = EmbeddingsResponse.parse(await answer.json());
  expect(data.map(({ index }) => index)).toEqual(data.map((_, index) => index));
  return data.map(({ embedding }) =>
    typeof embedding === "string" ? floatsOf(embedding) : embedding,
  );
}

async function refusalOf(fields: object): Promise<object> {
  const answer = await ask(fields);
  expect(answer.status).toBe(400);
  const { error } = ErrorBody.parse(await answer.json());
  return { param: error.param, code: error.code };
}

const texts = REFERENCE.map(({ text }) => text);
/** All but the one that the reference cut. */
const whole = REFERENCE.filter(({ ids }) => ids.length < 512);

test("embeddings are the reference implementation's to 1e-3, together and alone", async () => {
  const together = await vectorsOf(await ask({ input: texts, truncate: true }));
  expect(together.length).toBe(REFERENCE.length);
  for (const [at, { text, vector }] of REFERENCE.entries()) {
    expect({ text, far: farthest(together[at] ?? [], vector) < 1e-3 }).toEqual({ text, far: true });
    const [alone = []] = await vectorsOf(await ask({ input: text, truncate_prompt_tokens: -1 }));
    expect({ text, far: farthest(alone, vector) < 1e-3 }).toEqual({ text, far: true });
  }
});

test("tokens are those of the reference implementation, and say the same as the text", async () => {
  for (const { text, ids } of whole) {
    const answer = await ask({ input: text }, "tokenize");
    expect(await answer.json()).toMatchObject({
      tokens: ids,
      count: ids.length,
      max_model_len: 512,
    });
  }
  const byTokens = await vectorsOf(await ask({ input: whole.map(({ ids }) => ids) }));
  for (const [at, { vector }] of whole.entries())
    expect(farthest(byTokens[at] ?? [], vector)).toBeLessThan(1e-3);
  const [one = []] = await vectorsOf(await ask({ input: whole[0]?.ids }));
  expect(farthest(one, whole[0]?.vector ?? [])).toBeLessThan(1e-3);
});

test("the answer is OpenAI's, with the tokens as they were counted, in the call log too", async () => {
  const two = REFERENCE.slice(0, 2);
  const answer = await ask({ input: two.map(({ text }) => text), user: "somebody" });
  const tokens = two.reduce((sum, { ids }) => sum + ids.length, 0);
  const body = await answer.clone().json();
  oracle("CreateEmbeddingResponse")(body);
  expect(body).toMatchObject({
    object: "list",
    model: MODEL,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
  expect(answer.headers.get("x-covey-dropped-params")).toBeNull();
  expect(await endedRow(covey, callIdOf(answer))).toMatchObject({
    status: "completed",
    endpoint: "/v1/embeddings",
    model: MODEL,
    provider: "local",
    prompt_tokens: tokens,
    completion_tokens: 0,
    usage_source: "counted",
  });
});

test("base64 is the same numbers, as little-endian 32-bit floats, each vector of length 1", async () => {
  const input = texts.slice(0, 3);
  const floats = await vectorsOf(await ask({ input, encoding_format: "float" }));
  const packed = await vectorsOf(await ask({ input, encoding_format: "base64" }));
  expect(packed).toEqual(floats);
  for (const vector of packed) {
    expect(vector.length).toBe(DIMENSIONS);
    expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
  }
});

test("the seed's three sentences rank as a person would: the cat is nearer to the kitten", async () => {
  const [cat = [], kitten = [], servers = []] = await vectorsOf(
    await ask({
      input: [
        "The cat sat on the mat.",
        "A kitten is resting on a rug.",
        "Server racks need better airflow.",
      ],
    }),
  );
  expect(cosine(cat, kitten)).toBeGreaterThan(0.4);
  expect(cosine(cat, servers)).toBeLessThan(0.2);
  expect(cosine(kitten, servers)).toBeLessThan(0.2);
});

test("a text that is too long is refused with its place, and embedded as far as is asked", async () => {
  const long = "word ".repeat(600);
  expect(await refusalOf({ input: long })).toEqual({
    param: "input",
    code: "context_length_exceeded",
  });
  expect(await refusalOf({ input: ["short", long] })).toEqual({
    param: "input[1]",
    code: "context_length_exceeded",
  });
  expect(await refusalOf({ input: long, truncate_prompt_tokens: 513 })).toMatchObject({
    param: "truncate_prompt_tokens",
  });
  const cut = await ask({ input: long, truncate_prompt_tokens: 12 });
  const body = EmbeddingsResponse.parse(await cut.json());
  expect(body.usage.prompt_tokens).toBe(12);
  const [first = []] = await vectorsOf(await ask({ input: "word ".repeat(10) }));
  const { embedding } = body.data[0] ?? {};
  expect(farthest(Array.isArray(embedding) ? embedding : [], first)).toBeLessThan(1e-5);
});

test("a megabyte of long words keeps nobody waiting: what is past the limit is not read", async () => {
  const words = `${"zq".repeat(50).slice(0, 99)} `.repeat(10_480);
  const pid = () => covey.app.local.snapshot().find(({ model }) => model === MODEL)?.pid;
  await ask({ input: "x" });
  const before = pid();
  const began = performance.now();
  for (const input of [words, words.replaceAll(" ", "")])
    expect((await ask({ input, truncate: true })).status).toBe(200);
  expect(await refusalOf({ input: words })).toMatchObject({ code: "context_length_exceeded" });
  const marks = Array.from({ length: 12 }, () => "!".repeat(2 ** 20));
  expect((await ask({ input: marks, truncate: true })).status).toBe(200);
  // It took minutes, and the child was ended for it.
  expect(performance.now() - began).toBeLessThan(25_000);
  expect(pid()).toBe(before);
});

test("while a long text is tokenised others are answered, and one that is left stops", async () => {
  const leaving = new AbortController();
  const prompt = `${"zq".repeat(50).slice(0, 99)} `.repeat(4_000);
  let ended = false;
  const long = post(
    `${covey.url}/v1/tokenize`,
    { model: MODEL, prompt },
    { headers, signal: leaving.signal },
  ).then(
    () => (ended = true),
    () => (ended = true),
  );
  const state = () => covey.app.local.snapshot().find(({ model }) => model === MODEL);
  while (state()?.running === 0) await Bun.sleep(1);
  expect((await vectorsOf(await ask({ input: "quick" }))).length).toBe(1);
  expect(ended).toBe(false);
  leaving.abort();
  await long;
  while (state()?.running !== 0) await Bun.sleep(1);
  const began = performance.now();
  await vectorsOf(await ask({ input: "after" }));
  expect(performance.now() - began).toBeLessThan(5_000);
});

test.each([
  ["dimensions that the model was not trained for", { dimensions: 128 }, "dimensions"],
  ["dimensions of null", { dimensions: null }, "dimensions"],
  ["an encoding of null", { encoding_format: null }, "encoding_format"],
  ["an encoding that nobody knows", { encoding_format: "int8" }, "encoding_format"],
  ["nothing", { input: [] }, "input"],
  ["a token that is none", { input: [[101], [1, 30_522]] }, "input[1][1]"],
  ["a text of more than a million characters", { input: "x".repeat(2 ** 20 + 1) }, "input"],
])("%s: refused with the place", async (_, more, param) => {
  const fields = { input: "x", ...more };
  expect(await refusalOf(fields)).toMatchObject({ param });
});

test("half of a character is no reason to fail: it is U+FFFD, as everywhere", async () => {
  const [half = []] = await vectorsOf(await ask({ input: "a \ud800 b" }));
  const [replaced = []] = await vectorsOf(await ask({ input: "a \ufffd b" }));
  expect(farthest(half, replaced)).toBeLessThan(1e-6);
});

test("as many dimensions as there are may be asked for", async () => {
  const [vector] = await vectorsOf(await ask({ input: "x", dimensions: DIMENSIONS }));
  expect(vector?.length).toBe(DIMENSIONS);
});

test("parameters that nobody honours are told", async () => {
  const answer = await ask({ input: "x", input_type: "query" });
  expect(answer.headers.get("x-covey-dropped-params")).toBe("input_type");
});

test.each([
  ["embeddings", { input: "x" }],
  ["tokenize", { prompt: "x" }],
  ["detokenize", { tokens: [101] }],
])("%s are answered whole: `stream` is told as dropped", async (path, fields) => {
  const answer = await ask({ ...fields, stream: true }, path);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toStartWith("application/json");
  expect(answer.headers.get("x-covey-dropped-params")).toBe("stream");
  expect(ErrorBody.safeParse(await answer.json()).success).toBe(false);
  const unstreamed = await ask({ ...fields, stream: false }, path);
  expect(unstreamed.headers.get("x-covey-dropped-params")).toBeNull();
});

test("a model that does not exist is refused with one that makes embeddings", async () => {
  const answer = await ask({ model: "zzzzzz", input: "x" });
  expect(answer.status).toBe(404);
  const { error } = ErrorBody.parse(await answer.json());
  expect(error.message).toBe(
    `The model 'zzzzzz' does not exist here. '${MODEL}' is ready. GET /v1/models lists all.`,
  );
});

test("a length of 0 is refused in the words of every other value", async () => {
  const answer = await ask({ input: "x", truncate_prompt_tokens: 0 });
  expect(ErrorBody.parse(await answer.json()).error).toMatchObject({
    message:
      "Invalid value for 'truncate_prompt_tokens': expected -1, or an integer of at least 1, but got 0.",
    param: "truncate_prompt_tokens",
  });
});

test("the wrong endpoint is refused with the right one, images or not", async () => {
  const url = `data:image/png;base64,${"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="}`;
  const content = [{ type: "image_url", image_url: { url } }];
  const seen = await ask({ messages: [{ role: "user", content }] }, "chat/completions");
  expect(ErrorBody.parse(await seen.json()).error).toMatchObject({
    message: `The model ${MODEL} makes embeddings: use /v1/embeddings.`,
    param: "model",
  });
  const chat = await ask({ messages: [{ role: "user", content: "x" }] }, "chat/completions");
  expect(chat.status).toBe(400);
  expect(await chat.json()).toMatchObject({
    error: {
      message: `The model ${MODEL} makes embeddings: use /v1/embeddings.`,
      type: "invalid_request_error",
      param: "model",
    },
  });
});

test("the model is listed as one that makes embeddings", async () => {
  const list = await fetch(`${covey.url}/v1/models?category=embeddings&modalities=embedding`, {
    headers,
  });
  expect(await list.json()).toMatchObject({
    data: [
      {
        id: MODEL,
        category: "embeddings",
        output_modalities: ["embedding"],
        supported_parameters: expect.arrayContaining(["dimensions", "encoding_format"]),
      },
    ],
  });
});

test("many at once get each its own, whatever batches they were put into", async () => {
  const some = whole.slice(0, 11);
  const asked = Array.from({ length: 40 }, (_, at) => {
    const from = at % some.length;
    return [...some.slice(from), ...some.slice(0, from)].slice(0, 1 + (at % 5));
  });
  const answers = await Promise.all(
    asked.map(async (rows) => vectorsOf(await ask({ input: rows.map(({ text }) => text) }))),
  );
  for (const [at, rows] of asked.entries())
    for (const [place, { vector }] of rows.entries())
      expect(farthest(answers[at]?.[place] ?? [], vector)).toBeLessThan(1e-3);
});

test("a request that is left gives its place back, and its texts are not embedded", async () => {
  const leaving = new AbortController();
  const many = Array.from({ length: 2_000 }, (_, at) => `${at} ${"word ".repeat(200)}`);
  const left = post(
    `${covey.url}/v1/embeddings`,
    { model: MODEL, input: many },
    { headers, signal: leaving.signal },
  ).then(
    () => "answered",
    () => "left",
  );
  const state = () => covey.app.local.snapshot().find(({ model }) => model === MODEL);
  while (state()?.running === 0) await Bun.sleep(1);
  // Another one's single text does not wait for them.
  expect((await vectorsOf(await ask({ input: "quick" }))).length).toBe(1);
  expect(state()?.running).toBe(1);
  leaving.abort();
  expect(await left).toBe("left");
  while (state()?.running !== 0) await Bun.sleep(1);
  const began = performance.now();
  await vectorsOf(await ask({ input: "after" }));
  // All of them take half a minute and more.
  expect(performance.now() - began).toBeLessThan(10_000);
});

test("a key with as many requests as it likes delays another's single one by no more than a batch or two", async () => {
  const other = await makeKey(covey);
  const leaving = new AbortController();
  const input = Array.from({ length: 4 }, () => "word ".repeat(400));
  const many = Array.from({ length: 80 }, () =>
    post(
      `${covey.url}/v1/embeddings`,
      { model: MODEL, input },
      { headers: other.headers, signal: leaving.signal },
    ).then(
      () => "answered",
      () => "left",
    ),
  );
  const state = () => covey.app.local.snapshot().find(({ model }) => model === MODEL);
  await until(async () => ((state()?.running ?? 0) >= 64 ? true : null), "its places are taken");
  expect((await vectorsOf(await ask({ input: "quick" }))).length).toBe(1);
  // Alone they take a minute, and by turns they end together.
  expect(state()?.running).toBe(64);
  leaving.abort();
  await Promise.all(many);
});

test("a request that is left counts what was embedded for it until then", async () => {
  const leaving = new AbortController();
  const input = Array.from({ length: 500 }, (_, at) => `${at} ${"word ".repeat(200)}`);
  const left = post(
    `${covey.url}/v1/embeddings`,
    { model: MODEL, input },
    { headers, signal: leaving.signal },
  ).then(
    () => "answered",
    () => "left",
  );
  const running = () => [...covey.app.gateway.running].find(({ attempt }) => attempt !== null);
  await until(
    async () => ((running()?.attempt?.meter.promptTokens ?? 0) > 2_000 ? true : null),
    "some are embedded",
  );
  const id = running()?.id ?? "";
  leaving.abort();
  expect(await left).toBe("left");
  const row = await endedRow(covey, id);
  expect(row).toMatchObject({ status: "cancelled", usage_source: "counted" });
  expect(Number(row.prompt_tokens)).toBeWithin(2_000, 50_000);
});

test("lists of tokens that are too long, or are of tokens that are none, are refused with their place, or cut", async () => {
  const input = Array.from({ length: 2_048 }, () => new Array<number>(1_000).fill(1));
  expect(await refusalOf({ input })).toEqual({
    param: "input[0]",
    code: "context_length_exceeded",
  });
  expect(await refusalOf({ input: [[1], [1, 2 ** 40]] })).toEqual({
    param: "input[1][1]",
    code: null,
  });
  const cut = await ask({ input: input.slice(0, 2), truncate_prompt_tokens: 3 });
  expect(await cut.json()).toMatchObject({ usage: { prompt_tokens: 6 } });
});

test("a process that ends under many calls is back for all of them: none is lost, nor any that comes next", async () => {
  const embedder = () => covey.app.local.snapshot().find(({ model }) => model === MODEL);
  const input = Array.from({ length: 40 }, () => "word ".repeat(100));
  const running = Array.from({ length: 7 }, () => ask({ input }));
  const pid = await until(async () => {
    const { pid = null, running = 0 } = embedder() ?? {};
    return running === 7 ? pid : null;
  }, "all are at work");
  process.kill(pid, "SIGKILL");
  const statuses = (await Promise.all(running)).map(({ status }) => status);
  expect(statuses).toEqual(new Array(7).fill(200));
  expect((await ask({ input: "again" })).status).toBe(200);
});

test("a killed process is an error that says so, and the next one answers", async () => {
  const pid = covey.app.local.snapshot().find(({ model }) => model === MODEL)?.pid;
  if (typeof pid !== "number") throw new Error("there is no child process");
  const running = ask({ input: Array.from({ length: 60 }, () => "word ".repeat(100)) });
  const isRunning = () =>
    covey.app.local.snapshot().some(({ model, running }) => model === MODEL && running > 0);
  while (!isRunning()) await Bun.sleep(1);
  process.kill(pid, "SIGKILL");
  expect((await running).status).toBeOneOf([200, 502, 503]);
  let answer = await ask({ input: "again" });
  for (let tries = 0; answer.status === 503 && tries < 20; tries++) {
    await Bun.sleep(1_000 * Number(answer.headers.get("retry-after") ?? 1));
    answer = await ask({ input: "again" });
  }
  expect((await vectorsOf(answer)).length).toBe(1);
});
