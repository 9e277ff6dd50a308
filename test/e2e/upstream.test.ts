import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnCovey, startCovey, type TestCovey } from "../covey.ts";
import { type FakeUpstream, fakeUpstream, UPSTREAM_SECRET } from "../fake-upstream.ts";
import { allFiles } from "./files.ts";
import {
  callIdOf,
  chatBody,
  endedRow,
  FAKE_KEY,
  fakeConfig,
  frames,
  post,
  readStream,
  until,
} from "./wire.ts";

/** What a bad upstream does to a caller: the right status, no secret, nothing left running. */

const FAULTS = [
  ["status-400", 400, "invalid_request_error"],
  ["status-422", 400, "invalid_request_error"],
  ["status-413", 413, "invalid_request_error"],
  ["status-401", 502, "api_error"],
  ["status-402", 502, "api_error"],
  ["status-403", 502, "api_error"],
  ["status-404", 502, "api_error"],
  ["status-429", 503, "api_error"],
  ["status-500", 502, "api_error"],
  ["status-503", 503, "api_error"],
  ["status-504", 504, "api_error"],
  ["html-502", 502, "api_error"],
  ["not-json", 502, "api_error"],
] as const;
/** What one answer means, without what is done about it. */
const ONE_ATTEMPT = "[routing]\nattempts = 1\n";
const CUTS = ["cut-1", "cut-3", "cut-7"];
const OTHERS = [
  "echo",
  "endless-20",
  "slow-30000",
  "unfinished",
  "breaks-50",
  "error-0",
  "error-50",
  "garbage",
];
const TEXT = "Grüße 🌍 an alle: 你好 – “ok”\n\n";

let upstream: FakeUpstream;
let other: ReturnType<typeof Bun.serve>;
let covey: TestCovey;
let received: string[];

beforeAll(async () => {
  received = [];
  upstream = fakeUpstream();
  other = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      received.push(await request.text());
      return Response.json({});
    },
  });
  const models = [
    ...FAULTS.flatMap(([model]) => [model, `${model}-1`, `${model}-2`, `${model}-3`]),
    ...CUTS,
    ...OTHERS,
    redirect(),
  ];
  covey = await startCovey({ toml: fakeConfig(upstream, models, ONE_ATTEMPT), env: { FAKE_KEY } });
});
afterAll(async () => {
  await covey.close();
  await upstream.close();
  await other.stop(true);
});

const redirect = () => `redirect-${other.port}`;
const ask = (model: string, fields: object = {}, signal?: AbortSignal) =>
  post(
    `${covey.url}/v1/chat/completions`,
    chatBody(model, TEXT, fields),
    signal === undefined ? {} : { signal },
  );

describe("a fault of the upstream", () => {
  test.each(FAULTS)("%s is %i to the caller, streamed or not", async (model, status, type) => {
    // An answer that is no stream at all is only seen as one that has no events.
    for (const stream of [false, true]) {
      // Two models, since a key rests for the model that it was refused for.
      const answer = await ask(stream ? `${model}-1` : model, { stream });
      expect([answer.status, await answer.json()]).toMatchObject([status, { error: { type } }]);
      expect(await endedRow(covey, callIdOf(answer))).toMatchObject({
        status: "failed",
        http_status: status,
        provider: "fake",
      });
    }
  });

  test("a time to wait is passed on", async () => {
    const after = async (model: string) => (await ask(model)).headers.get("retry-after");
    expect([await after("status-429-2"), await after("status-503-2")]).toEqual(["7", "3"]);
  });

  test("keys appear in no answer, no log line and no file", async () => {
    const seen: string[] = [];
    for (const [model] of FAULTS) seen.push(await (await ask(`${model}-3`)).text());
    await covey.app.store.caughtUp();
    const text = [...seen, ...covey.logged, ...allFiles(covey.home)].join("\n");
    const has = (part: string) => text.includes(part);
    expect([has("upstream says 500, key [key]"), has(UPSTREAM_SECRET), has(FAKE_KEY)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(upstream.requests.at(-1)?.headers.get("authorization")).toBe(`Bearer ${FAKE_KEY}`);
  });

  test("a redirect is refused, and the other origin gets nothing", async () => {
    const answers = [await ask(redirect()), await ask(redirect(), { stream: true })];
    expect(answers.map(({ status }) => status)).toEqual([502, 502]);
    expect(received).toEqual([]);
  });

  test.each(["breaks-50", "unfinished", "error-0", "error-50"])(
    "a stream of %s ends in an error, with what came before it and no [DONE]",
    async (model) => {
      const answer = await ask(model, { stream: true });
      const { chunks, done, text } = await readStream(answer);
      expect([answer.status, text, done]).toEqual([200, "Grüße 🌍 ", false]);
      expect(chunks.at(-1)).toMatchObject({
        error: { type: "api_error", code: "upstream_error", param: null },
      });
      expect(chunks.filter(({ choices = [] }) => choices[0]?.finish_reason)).toEqual([]);
      expect(await endedRow(covey, callIdOf(answer))).toMatchObject({
        status: "failed",
        error: "upstream_error",
        finish_reason: null,
      });
    },
  );

  test("a malformed event costs nothing but itself", async () => {
    const { text, done } = await readStream(await ask("garbage", { stream: true }));
    expect([text, done]).toEqual([TEXT, true]);
  });
});

test("the same bytes give the same events, wherever they are cut", async () => {
  const events = async (model: string) => {
    const { chunks, done } = await readStream(
      await ask(model, { stream: true, stream_options: { include_usage: true } }),
    );
    return { chunks: chunks.map(({ choices, usage }) => ({ choices, usage })), done };
  };
  const whole = await events("echo");
  expect(whole.chunks.length).toBeGreaterThan(5);
  for (const model of CUTS) expect(await events(model)).toEqual(whole);
});

describe("a client that leaves", () => {
  test("ends the upstream's work within a second and is recorded with what it got", async () => {
    const before = upstream.cancelled;
    const leaving = new AbortController();
    const answer = await ask("endless-20", { stream: true }, leaving.signal);
    let words = 0;
    for await (const frame of frames(answer)) {
      if (/"content":"[^"]/.test(frame) && ++words === 5) break;
    }
    const left = performance.now();
    leaving.abort();
    await upstream.untilCancelled(before + 1);
    expect(performance.now() - left).toBeLessThan(1000);
    const row = await endedRow(covey, callIdOf(answer));
    expect(row).toMatchObject({ status: "cancelled", http_status: 499, error: "client_closed" });
    expect(row.completion_tokens).toBeGreaterThanOrEqual(5);
    expect(row.completion_tokens).toBeLessThan(60);
  });

  test.each([false, true])("before the first byte ends it too (stream: %p)", async (stream) => {
    const before = upstream.cancelled;
    const open = upstream.open;
    const leaving = new AbortController();
    const asked = ask("slow-30000", { stream }, leaving.signal);
    asked.catch(() => undefined);
    while (upstream.open === open) await Bun.sleep(5);
    const left = performance.now();
    leaving.abort();
    await upstream.untilCancelled(before + 1);
    expect(performance.now() - left).toBeLessThan(1000);
    await covey.app.store.caughtUp();
    const [row] = await covey.app.store.calls.listCalls({ limit: 1 });
    expect(row).toMatchObject({ status: "cancelled", model: "slow-30000", stream });
  });
});

test("a client that reads nothing from a fast upstream fills no memory", async () => {
  const flood = fakeUpstream();
  const home = mkdtempSync(join(tmpdir(), "covey-flood-"));
  const slow = await spawnCovey(["--home", home, "--config", configFile(home, flood)], {
    FAKE_KEY,
  });
  let socket: Socket | null = null;
  try {
    // One answer that is read, so that what a first call costs is not taken for a leak.
    await takeSome(await post(`${slow.url}/v1/chat/completions`, flooding()), 20_000_000);
    const before = residentBytes(slow.pid);
    const sentBefore = flood.sentBytes;
    socket = connect(Number(new URL(slow.url).port), "127.0.0.1");
    await once(socket, "connect");
    socket.pause();
    const body = JSON.stringify(flooding());
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    await until(() => (flood.sentBytes > sentBefore ? true : null), "the flood has begun");
    let most = 0;
    for (const end = performance.now() + 5000; performance.now() < end; await Bun.sleep(100)) {
      most = Math.max(most, residentBytes(slow.pid) - before);
    }
    expect(most).toBeLessThan(100e6);
    // What the kernel's buffers hold on the way, and no more.
    expect(flood.sentBytes - sentBefore).toBeLessThan(50e6);
  } finally {
    socket?.destroy();
    await slow.end();
    await flood.close();
    rmSync(home, { recursive: true, force: true });
  }
}, 30_000);

const flooding = () => chatBody("flood", "go", { stream: true });

function configFile(folder: string, flood: FakeUpstream): string {
  const file = join(folder, "covey.toml");
  writeFileSync(file, fakeConfig(flood, ["flood"]));
  return file;
}

async function takeSome(answer: Response, bytes: number): Promise<void> {
  let taken = 0;
  for await (const piece of answer.body ?? []) {
    taken += piece.byteLength;
    if (taken > bytes) return;
  }
}

/** What the process has in memory. */
function residentBytes(pid: number): number {
  const { stdout } = Bun.spawnSync(["ps", "-o", "rss=", "-p", String(pid)]);
  return Number(stdout.toString()) * 1024;
}

test("a list of prompts beside a chat's messages does not make it a chat of several answers", async () => {
  const prompt = ["one", "two"];
  expect((await ask("echo", { prompt })).status).toBe(200);
  const asked = { stream: true, stream_options: { include_usage: true }, prompt };
  const { chunks, text, done } = await readStream(await ask("echo", asked));
  expect([text, done]).toEqual([TEXT, true]);
  // The provider's own count, which is believed of an answer that is whole.
  expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens: 7 });
});
