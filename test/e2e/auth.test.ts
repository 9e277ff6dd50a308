import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { loadConfig, refuseKeyless } from "../../src/config/load.ts";
import { startCovey, type TestCovey } from "../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { oracle } from "../oracle.ts";
import { allFiles } from "./files.ts";
import { chatBody, FAKE_KEY, fakeConfig, post } from "./wire.ts";

/** Who gets in, how often, and that no key is ever said again. */

const ADMIN_KEY = "sk-admin-fedcba9876543210fedcba98";
const BAD_KEY = "sk-guess-00112233445566778899aabb";

let upstream: FakeUpstream;
let open: TestCovey;
let keyed: TestCovey;
let closed: TestCovey;

beforeAll(async () => {
  upstream = fakeUpstream();
  const toml = (more = "") => fakeConfig(upstream, ["echo", "slow-30000"], more);
  const env = { FAKE_KEY, COVEY_ADMIN_KEY: ADMIN_KEY };
  open = await startCovey({ toml: toml(), env: { FAKE_KEY } });
  keyed = await startCovey({ toml: toml(), env });
  closed = await startCovey({ toml: toml("[auth]\nallow_anonymous = false\n"), env });
});
afterAll(async () => {
  for (const covey of [open, keyed, closed]) await covey.close();
  await upstream.close();
});

const ask = (covey: TestCovey, headers: Record<string, string>) =>
  post(`${covey.url}/v1/chat/completions`, chatBody("echo", "hi"), { headers });
const list = (covey: TestCovey, headers: Record<string, string>) =>
  fetch(`${covey.url}/v1/models`, { headers });

async function statuses(covey: TestCovey, headers: Record<string, string>): Promise<number[]> {
  const answers = await Promise.all([ask(covey, headers), list(covey, headers)]);
  return answers.map(({ status }) => status);
}

const ownOrigin = (covey: TestCovey) => ({ origin: covey.url });

describe("without a key", () => {
  test.each([
    ["this machine by address", {}],
    ["this machine by name", { host: "localhost:8080" }],
    ["this machine by its IPv6 address", { host: "[::1]:8080" }],
    ["any bearer, since SDKs must send one", { authorization: "Bearer anything" }],
  ])("%s gets in", async (_, headers) => {
    expect(await statuses(open, headers)).toEqual([200, 200]);
  });

  test("a page of our own gets in", async () => {
    expect(await statuses(open, ownOrigin(open))).toEqual([200, 200]);
  });

  test.each([
    ["another host name, as after DNS rebinding", { host: "evil.example" }],
    ["a name that only begins like ours", { host: "127.0.0.1.evil.example" }],
    ["a page of another site", { origin: "https://evil.example" }],
    ["a page of another port", { origin: "http://127.0.0.1:1" }],
    ["a sandboxed page", { origin: "null" }],
    ["a proxy", { "x-forwarded-for": "203.0.113.7" }],
    ["a proxy of the standard's", { forwarded: "for=203.0.113.7" }],
    ["a proxy with a made-up key", { forwarded: "for=_x", authorization: "Bearer anything" }],
  ])("%s stays out", async (_, headers) => {
    expect(await statuses(open, headers)).toEqual([401, 401]);
    expect(await refused(await ask(open, headers))).toMatchObject({
      type: "authentication_error",
      code: "invalid_api_key",
      param: null,
    });
  });

  test("nobody gets in where anonymous calls are off", async () => {
    expect(await statuses(closed, {})).toEqual([401, 401]);
    expect((await fetch(`${closed.url}/health`)).status).toBe(200);
  });
});

describe("with a key configured", () => {
  test.each([
    ["Bearer", { authorization: `Bearer ${ADMIN_KEY}` }],
    ["bearer in lower case", { authorization: `bearer  ${ADMIN_KEY}` }],
    ["x-api-key", { "x-api-key": ADMIN_KEY }],
    ["a proxy before it", { authorization: `Bearer ${ADMIN_KEY}`, forwarded: "for=x" }],
    ["a public name", { authorization: `Bearer ${ADMIN_KEY}`, host: "api.example" }],
  ])("the right one gets in by %s", async (_, headers) => {
    expect(await statuses(keyed, headers)).toEqual([200, 200]);
  });

  test.each([
    ["Bearer", { authorization: `Bearer ${BAD_KEY}` }],
    ["x-api-key", { "x-api-key": BAD_KEY }],
  ])("a wrong one by %s is a 401 that says where to get one", async (_, headers) => {
    expect(await statuses(keyed, headers)).toEqual([401, 401]);
    const { doc_url } = await refused(await ask(keyed, headers));
    expect(doc_url).toStartWith(`${keyed.url}/docs`);
    expect((await fetch(String(doc_url))).status).toBe(200);
  });

  test("keys are in no answer, no log line and no file", async () => {
    const asked = [ADMIN_KEY, BAD_KEY].map((key) =>
      ask(keyed, { authorization: `Bearer ${key}` }).then((answer) => answer.text()),
    );
    // Where they don't belong too: in a page's address and its title, as a path, as a model.
    const page = { "http-referer": `https://x.example/?key=${BAD_KEY}`, "x-title": BAD_KEY };
    asked.push(ask(keyed, { authorization: `Bearer ${ADMIN_KEY}`, ...page }).then((a) => a.text()));
    await fetch(`${keyed.url}/v1/${BAD_KEY}`);
    await post(`${keyed.url}/v1/chat/completions`, chatBody(BAD_KEY, "hi"));
    const answers = await Promise.all(asked);
    await keyed.app.store.caughtUp();
    const files = allFiles(keyed.home);
    const text = [...answers, ...keyed.logged, ...files].join("\n");
    const found = [ADMIN_KEY, BAD_KEY, FAKE_KEY].filter((key) => text.includes(key));
    expect(found).toEqual([]);
    expect(files.some((file) => file.includes('"keyId":"admin"'))).toBe(true);
  });
});

test("another address than loopback needs a key, or a word that it needs none", () => {
  const load = (env: Record<string, string>, host: string) =>
    loadConfig({ flags: { host }, env, cwd: keyed.home });
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "gateway.example"]) {
    expect(() => refuseKeyless(load({}, host), false)).toThrow(/allow_anonymous/);
    expect(load({ COVEY_ADMIN_KEY: ADMIN_KEY }, host).auth.allowAnonymous).toBe(false);
  }
});

describe("limits", () => {
  test("the request too many is a 429 that says to the second when to come back", async () => {
    const covey = await limited("requests_per_minute = 3");
    try {
      const before = performance.now();
      const allowed = [await ask(covey, {}), await ask(covey, {}), await ask(covey, {})];
      const after = performance.now();
      const remaining = allowed.map((answer) => answer.headers.get("x-ratelimit-remaining"));
      expect(remaining).toEqual(["2", "1", "0"]);
      const answer = await ask(covey, {});
      const now = performance.now();
      expect(answer.status).toBe(429);
      const wait = Number(answer.headers.get("retry-after"));
      expect(wait).toBeGreaterThanOrEqual(Math.ceil(60 - (now - before) / 1000));
      expect(wait).toBeLessThanOrEqual(60);
      expect(after - before).toBeLessThan(60_000);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        "x-ratelimit-limit": "3",
        "x-ratelimit-limit-requests": "3",
        "x-ratelimit-remaining-requests": "0",
      });
      const reset = Date.parse(answer.headers.get("x-ratelimit-reset-requests") ?? "");
      expect(Math.abs(reset - Date.now() - wait * 1000)).toBeLessThan(2000);
      expect(await refused(answer)).toMatchObject({
        type: "rate_limit_error",
        code: "rate_limit_exceeded",
      });
    } finally {
      await covey.close();
    }
  });

  test("running too many at once is a 429 until one has ended", async () => {
    const covey = await limited("concurrency = 1");
    try {
      const leaving = new AbortController();
      const open = upstream.open;
      const url = `${covey.url}/v1/chat/completions`;
      const running = post(url, chatBody("slow-30000", "hi"), { signal: leaving.signal });
      const ended = running.catch(() => undefined);
      while (upstream.open === open) await Bun.sleep(5);
      const answer = await ask(covey, {});
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "1"]);
      expect(await refused(answer)).toMatchObject({ code: "concurrency_limit_exceeded" });
      leaving.abort();
      await ended;
      let again = await ask(covey, {});
      while (again.status === 429) again = await ask(covey, {});
      expect(again.status).toBe(200);
    } finally {
      await covey.close();
    }
  });
});

const limited = (limit: string) =>
  startCovey({
    toml: fakeConfig(upstream, ["echo", "slow-30000"], `[limits.anonymous]\n${limit}\n`),
    env: { FAKE_KEY },
  });

async function refused(answer: Response): Promise<Record<string, unknown>> {
  const body: { error: Record<string, unknown> } = JSON.parse(await answer.text());
  oracle("ErrorResponse")(body);
  return body.error;
}
