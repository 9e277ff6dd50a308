import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import pinned from "../contracts/openai_python_1.109.1_params.json";
import { startCovey, type TestCovey } from "../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { oracle } from "../oracle.ts";
import { chatBody, FAKE_KEY, fakeConfig, post } from "./wire.ts";

/** Every way to send something wrong, and the one shape that the answer has. */

const MAX_BODY = 1_000_000;
const CHAT = "/v1/chat/completions";

let upstream: FakeUpstream;
let covey: TestCovey;

beforeAll(async () => {
  upstream = fakeUpstream();
  const limits = `[server]
max_body = ${MAX_BODY}
[limits.anonymous]
requests_per_minute = 0
concurrency = 0
`;
  covey = await startCovey({ toml: fakeConfig(upstream, ["echo"], limits), env: { FAKE_KEY } });
});
afterAll(async () => {
  await covey.close();
  await upstream.close();
});

const valid = (fields: object = {}) => chatBody("echo", "hi", fields);
const invalid = { type: "invalid_request_error", code: null };

interface Refusal {
  readonly status: number;
  readonly error: object;
}

async function refusal(answer: Response): Promise<Refusal> {
  const body: Refusal = JSON.parse(await answer.text());
  oracle("ErrorResponse")(body);
  expect(Object.keys(body.error).slice(0, 4)).toEqual(["message", "type", "param", "code"]);
  expect(answer.headers.get("x-request-id")).not.toBeNull();
  return { status: answer.status, error: body.error };
}

describe("a body that breaks the contract is a 400 that names the field", () => {
  test.each([
    ["n > 1", valid({ n: 2 }), "n"],
    ["null on a field that takes none", valid({ user: null }), "user"],
    ["null as messages", { model: "echo", messages: null }, "messages"],
    ["no model", { messages: [{ role: "user", content: "hi" }] }, "model"],
    ["a wrong role", { ...valid(), messages: [{ role: "boss", content: "" }] }, "messages[0].role"],
    ["no messages", { ...valid(), messages: [] }, "messages"],
    ["a value out of range", valid({ temperature: 2.1 }), "temperature"],
    ["a value of the wrong type", valid({ max_tokens: "9" }), "max_tokens"],
    ["a stream that is no boolean", valid({ stream: "yes" }), "stream"],
    ["an array", [valid()], null],
    ["a string", '"hi"', null],
    ["JSON that is cut off", '{"model": "echo"', null],
    ["nothing", "", null],
    ["brackets without end", "[".repeat(900_000), null],
    ["objects without end", `${'{"a":'.repeat(5000)}1${"}".repeat(5000)}`, null],
  ])("%s", async (_, body, param) => {
    const { status, error } = await refusal(await post(covey.url + CHAT, body));
    expect([status, error]).toMatchObject([400, { ...invalid, param }]);
  });
});

describe("a body that is not read", () => {
  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])(
    "of type %s is a 415",
    async (type) => {
      const headers = { "content-type": type };
      const { status, error } = await refusal(await post(covey.url + CHAT, valid(), { headers }));
      expect([status, error]).toMatchObject([415, { ...invalid, param: null }]);
    },
  );

  test("of no type is read as JSON", async () => {
    const body = new TextEncoder().encode(JSON.stringify(valid()));
    const answer = await fetch(covey.url + CHAT, { method: "POST", body });
    expect(answer.status).toBe(200);
  });

  test.each([
    ["a little over the limit", MAX_BODY + 1],
    ["far over the limit", MAX_BODY * 8],
  ])("%s is a 413, of a known length or not", async (_, size) => {
    const text = JSON.stringify(chatBody("echo", "x".repeat(size)));
    for (const body of [text, inPieces(text)]) {
      const { status, error } = await refusal(await send(body));
      expect([status, error]).toMatchObject([413, { ...invalid, param: null }]);
    }
  });

  test("is a 413 if it swells over the limit when it is unpacked", async () => {
    const bomb = gzipSync(Buffer.alloc(200_000_000, " "));
    expect(bomb.length).toBeLessThan(MAX_BODY);
    const before = process.memoryUsage.rss();
    const { status } = await refusal(await send(bomb, { "content-encoding": "gzip" }));
    expect(status).toBe(413);
    expect(process.memoryUsage.rss() - before).toBeLessThan(100e6);
  });

  test("that is not UTF-8 is a 400, also where it is packed", async () => {
    const latin = Buffer.from(JSON.stringify(chatBody("echo", "caf\u00e9")), "latin1");
    for (const [body, encoding] of [
      [latin, "identity"],
      [gzipSync(latin), "gzip"],
    ] as const) {
      const { status, error } = await refusal(await send(body, { "content-encoding": encoding }));
      expect([status, error]).toMatchObject([400, { ...invalid, param: null }]);
      expect(Reflect.get(error, "message")).toContain("UTF-8");
    }
    const utf8 = Buffer.from(`\u{FEFF}${JSON.stringify(chatBody("echo", "caf\u00e9"))}`);
    expect((await send(utf8)).status).toBe(200);
  });

  test("packed well is read, packed badly is a 400, packed strangely a 415", async () => {
    const packed = gzipSync(JSON.stringify(valid()));
    const status = async (body: Uint8Array, encoding: string) =>
      (await send(body, { "content-encoding": encoding })).status;
    expect(await status(packed, "gzip")).toBe(200);
    expect(await status(packed.subarray(0, 40), "gzip")).toBe(400);
    expect(await status(packed, "zip")).toBe(415);
  });
});

test("an unknown model is a 404 that names one that is there", async () => {
  for (const path of [CHAT, "/v1/completions", "/v1/tokenize"]) {
    const body = { model: "ecko", ...(path === CHAT ? chatBody("ecko", "hi") : { prompt: "hi" }) };
    const { status, error } = await refusal(await post(covey.url + path, body));
    expect([path, status, error]).toMatchObject([
      path,
      404,
      { type: "invalid_request_error", code: "model_not_found", param: "model" },
    ]);
    expect(Reflect.get(error, "message")).toContain("'echo'");
  }
  const { status, error } = await refusal(await fetch(`${covey.url}/v1/models/not/there`));
  expect([status, error]).toMatchObject([404, { code: "model_not_found", param: "model" }]);
});

describe("a path or method that is not there", () => {
  test.each([
    ["POST", "/v1/fine-tuning/jobs", 404, "not supported"],
    ["GET", "/v1/assistants", 404, "not supported"],
    ["POST", "/v1/threads/t/runs", 404, "not supported"],
    ["POST", "/v1/runs", 404, "not supported"],
    ["POST", "/v1/batches", 404, "not supported"],
    ["GET", "/v1/files/f", 404, "not supported"],
    ["POST", "/chat/completions", 404, "/v1/chat/completions"],
    ["GET", "/v1/nothing", 404, "/openapi.json"],
    ["GET", "/v1/models/%E0%A4%A", 400, "percent"],
    ["GET", "/v1/models?limit=0", 400, "limit"],
    ["GET", CHAT, 405, "POST"],
    ["PUT", CHAT, 405, "POST"],
    ["DELETE", "/v1/models/echo", 405, "GET"],
    ["POST", "/v1/models", 405, "GET"],
  ])("%s %s is a %i", async (method, path, expected, words) => {
    const answer = await fetch(covey.url + path, { method });
    const { status, error } = await refusal(answer);
    expect([status, error]).toMatchObject([expected, { type: "invalid_request_error" }]);
    expect(Reflect.get(error, "message")).toContain(words);
  });
});

test("no value of any field is ever a 422 or a 500", async () => {
  const values = [null, true, -1, 0.5, 1e308, "", "x", "\ud800", [], [null], {}, { type: "x" }];
  const fields = [
    ...Object.keys(pinned.chat.fields),
    "top_k",
    "min_p",
    "mirostat",
    "models",
    "provider",
  ];
  const bodies = fields.flatMap((field) => values.map((value) => valid({ [field]: value })));
  const statuses = await Promise.all(
    bodies.map(async (body) => {
      const answer = await post(covey.url + CHAT, body);
      if (answer.status !== 200) await refusal(answer);
      else await answer.text();
      return answer.status;
    }),
  );
  const wrong = bodies.filter((_, i) => ![200, 400, 404].includes(statuses[i] ?? 0));
  expect(wrong).toEqual([]);
  expect(statuses.filter((status) => status === 400).length).toBeGreaterThan(100);
});

const send = (body: string | Uint8Array | ReadableStream, headers: Record<string, string> = {}) =>
  fetch(covey.url + CHAT, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });

function inPieces(text: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at + 65_536));
      at += 65_536;
    },
  });
}
