import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { listen } from "../../src/http/server.ts";
import { startCovey, type TestCovey } from "../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { NO_KEYS } from "../no-keys.ts";
import { expectChatRules } from "./stream-rules.ts";
import { chatBody, FAKE_KEY, fakeConfig, post, readStream } from "./wire.ts";

/** Slow answers arrive whole, and a silent stream shows that it lives. The runtime's own idle time-out is 10 s. */

/** One for each time that it is asked: a target that says when to come back is left alone until then. */
const BUSY = ["status-503-100", "status-503-101"];
const MODELS = ["slow-60000", "gap-30000", "gap-700", "slow-1500", ...BUSY];
const LATE = "status-503-1500";

let upstream: FakeUpstream;
/** With the times that a user gets. */
let usual: TestCovey;
/** With short ones. */
let hasty: TestCovey;

beforeAll(async () => {
  upstream = fakeUpstream();
  const start = (more: string) =>
    startCovey({
      toml: fakeConfig(upstream, [...MODELS, LATE], `[routing]\nattempts = 1\n${more}`),
      env: { FAKE_KEY },
    });
  usual = await start("");
  hasty = await start('[stream]\nfirst_byte_delay = "500ms"\nkeepalive = "200ms"\n');
});
afterAll(async () => {
  await usual.close();
  await hasty.close();
  await upstream.close();
});

const STREAM = { stream: true, stream_options: { include_usage: true } };
const ask = (covey: TestCovey, model: string, fields: object = {}) =>
  post(`${covey.url}/v1/chat/completions`, chatBody(model, "word", fields));

test.concurrent("answers held open for 60 s arrive whole, as JSON and as streams", async () => {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const whole = async () => {
    const answer = await ask(usual, "slow-60000");
    expect(await answer.json()).toMatchObject({ choices: [{ message: { content: "word" } }] });
    return seconds();
  };
  const stream = async (model: string) => {
    const answer = await ask(usual, model, STREAM);
    const headersAt = seconds();
    const read = await readStream(answer);
    expectChatRules(read, { usage: true });
    return { headersAt, comments: read.comments, text: read.text, endedAt: seconds() };
  };
  const [wholeAt, silent, gappy] = await Promise.all([
    whole(),
    stream("slow-60000"),
    stream("gap-30000"),
  ]);
  for (const at of [wholeAt, silent.endedAt, gappy.endedAt]) expect(at).toBeGreaterThan(59);
  // No byte for 5 s; then a comment, and one more for each 15 s of silence.
  expect(silent.headersAt).toBeGreaterThan(4.9);
  expect(silent.headersAt).toBeLessThan(15);
  expect(gappy.headersAt).toBeLessThan(15);
  expect([silent.text, gappy.text]).toEqual(["word", "word"]);
  for (const { comments } of [silent, gappy]) {
    expect(comments).toBeGreaterThanOrEqual(2);
    expect(comments).toBeLessThanOrEqual(5);
  }
}, 120_000);

const nobodyAsks = (): never => {
  throw new Error("nobody asks");
};

test.concurrent("a connection that idles is closed, also after an answer and in the middle of a request", async () => {
  const server = listen(hasty.app.gateway, {
    hostname: "127.0.0.1",
    port: 0,
    maxBodyBytes: 1_000_000,
    keepAliveMs: 200,
    idleConnectionS: 4,
    openapi: async () => "{}",
    readiness: nobodyAsks,
    keys: NO_KEYS,
    calls: { getCall: nobodyAsks, spent: nobodyAsks, caughtUp: nobodyAsks },
  });
  try {
    const request = (model: string, stream: boolean) => {
      const body = JSON.stringify(chatBody(model, "word", { stream }));
      return `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    };
    const whole = request("slow-1500", false);
    const sent = [whole, request("slow-1500", true), whole.slice(0, 60), whole.slice(0, -5)];
    const answers = await Promise.all(sent.map((text) => closedBy(server.port ?? 0, text)));
    expect(answers.map((text) => text.slice(0, 15))).toEqual([
      "HTTP/1.1 200 OK",
      "HTTP/1.1 200 OK",
      "",
      "",
    ]);
    expect(answers[1]).toContain("data: [DONE]");
  } finally {
    await server.stop(true);
  }
}, 60_000);

/** Sends this, then waits until the server closes; gives what it answered. */
function closedBy(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (bytes) => {
      answer += bytes;
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

describe("before the first byte", () => {
  test("an error has its own status", async () => {
    for (const [covey, model] of [
      [usual, LATE],
      [usual, BUSY[0]],
      [hasty, BUSY[1]],
    ] as const) {
      const answer = await ask(covey, model ?? "", STREAM);
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "3"]);
      expect(await answer.json()).toMatchObject({ error: { code: "overloaded" } });
    }
  }, 20_000);

  test("no comment is sent, and after it one in every silence", async () => {
    const slow = await readStream(await ask(hasty, "slow-1500", STREAM));
    expectChatRules(slow, { usage: true });
    expect(slow.comments).toBeGreaterThanOrEqual(2);
    const gaps = await readStream(await ask(hasty, "gap-700", STREAM));
    expectChatRules(gaps, { usage: true });
    expect(gaps.comments).toBeGreaterThanOrEqual(2);
    const quick = await readStream(await ask(usual, "slow-1500", STREAM));
    expect([quick.comments, quick.done]).toEqual([0, true]);
  }, 20_000);
});

test("an error after the first byte is told in the stream, which then ends without [DONE]", async () => {
  const answer = await ask(hasty, LATE, STREAM);
  expect(answer.status).toBe(200);
  const { chunks, comments, done } = await readStream(answer);
  expect(chunks).toMatchObject([
    { error: { type: "api_error", code: "overloaded", param: null, message: expect.any(String) } },
  ]);
  expect([comments > 0, done]).toEqual([true, false]);
}, 20_000);
