import { afterAll, beforeAll, expect, test } from "bun:test";
import { startCovey, type TestCovey } from "../../covey.ts";
import { type FakeTls, fakeTls } from "../../fake-tls.ts";
import { type FakeUpstream, fakeUpstream, storyFor } from "../../fake-upstream.ts";
import { isHere } from "../../needs.ts";
import { callIdOf, chatBody, endedRow, post } from "../wire.ts";

/** Providers that can't be reached, or are not who they say: an error or another target, never a secret sent. */

const KEY = "sk-unreachable-dddddddddddddddd";
/** Takes no connection: its queue holds one and is full. Prints its port once it is. */
const DEAF = `
import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(0)
held = []
for i in range(3):
    c = socket.socket(); c.setblocking(False); c.connect_ex(s.getsockname()); held.append(c)
time.sleep(0.2)
print(s.getsockname()[1], flush=True)
time.sleep(600)
`;

let tls: FakeTls;
let second: FakeUpstream;
let covey: TestCovey;
let other: ReturnType<typeof Bun.serve>;
let redirecting: FakeUpstream;
let deaf: Bun.Subprocess<"ignore", "pipe", "inherit"> | null = null;
const received: string[] = [];
const canBeDeaf = isHere("python3");

beforeAll(async () => {
  tls = fakeTls();
  second = fakeUpstream();
  redirecting = fakeUpstream();
  other = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      received.push(`${request.url} ${await request.text()}`);
      return Response.json({});
    },
  });
  const closed = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const closedUrl = `http://127.0.0.1:${closed.port}/v1`;
  await closed.stop(true);
  const firsts: Record<string, string> = {
    tls: tls.url,
    closed: closedUrl,
    redirect: redirecting.url,
    deaf: await deafUrl(),
  };
  const providers = Object.entries(firsts).map(
    ([id, url]) => `
[providers.${id}]
type = "openai-compatible"
base_url = "${url}"
api_key_env = "KEY"
connect_timeout = "400ms"
models = [
  { id = "both/${id}", upstream_id = "redirect-${other.port}" },
  { id = "alone/${id}", upstream_id = "redirect-${other.port}" },
]`,
  );
  const models = Object.keys(firsts).map((id) => `{ id = "both/${id}", upstream_id = "story-40" }`);
  covey = await startCovey({
    toml: `
[engine]
preload = false
[routing]
breaker_failures = 0
${providers.join("\n")}
[providers.second]
type = "openai-compatible"
base_url = "${second.url}"
priority = 1
models = [${models.join(", ")}]
`,
    env: { KEY },
  });
});
afterAll(async () => {
  deaf?.kill();
  await covey.close();
  await Promise.all([tls.close(), second.close(), redirecting.close(), other.stop(true)]);
});

async function deafUrl(): Promise<string> {
  if (!canBeDeaf) return "http://127.0.0.1:9/v1";
  deaf = Bun.spawn(["python3", "-c", DEAF], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  const { value } = await deaf.stdout.getReader().read();
  return `http://127.0.0.1:${new TextDecoder().decode(value).trim()}/v1`;
}

async function ask(model: string, stream = false) {
  const began = performance.now();
  const answer = await post(`${covey.url}/v1/chat/completions`, chatBody(model, model, { stream }));
  const text = await answer.text();
  const tookMs = performance.now() - began;
  return { status: answer.status, text, tookMs, row: await endedRow(covey, callIdOf(answer)) };
}

const CASES = [
  ["tls", 502, "upstream_error"],
  ["closed", 502, "upstream_error"],
  ["redirect", 502, "upstream_error"],
] as const;

test.each(CASES)("%s alone is %i", async (id, status, code) => {
  for (const stream of [false, true]) {
    const seen = await ask(`alone/${id}`, stream);
    expect([seen.status, seen.text]).toEqual([status, expect.stringContaining(`"code":"${code}"`)]);
    expect(seen.row).toMatchObject({ status: "failed", http_status: status, error: code });
    expect(seen.row.attempts.length).toBeLessThanOrEqual(3);
    expect(seen.tookMs).toBeLessThan(5000);
    expect(seen.text).not.toContain(KEY);
  }
});

test.each(CASES)("%s: another target answers", async (id) => {
  for (const stream of [false, true]) {
    const seen = await ask(`both/${id}`, stream);
    expect(seen.status).toBe(200);
    expect(seen.row).toMatchObject({ status: "completed", provider: "second" });
    expect(seen.row.attempts.map(({ provider }) => provider)).toEqual([id, "second"]);
    if (!stream)
      expect(JSON.parse(seen.text).choices[0].message.content).toBe(storyFor(`both/${id}`, 40));
  }
});

test.skipIf(!canBeDeaf)("a connection that does not come about is given up", async () => {
  const alone = await ask("alone/deaf");
  expect([alone.status, alone.row.attempts.length]).toEqual([504, 1]);
  expect(alone.tookMs).toBeLessThan(3000);
  const both = await ask("both/deaf");
  expect([both.status, both.row.provider]).toEqual([200, "second"]);
  expect(both.tookMs).toBeLessThan(3000);
});

test("a redirect's other end and a server without a good certificate get nothing", () => {
  expect(redirecting.requests.length).toBeGreaterThan(0);
  expect([received, tls.answered()]).toEqual([[], 0]);
});
