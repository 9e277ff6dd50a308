import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ANALYTICS, CallDetail, PayloadStatus } from "../../src/contract/analytics.ts";
import { startCovey, type TestCovey } from "../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { until } from "../store/calls-fixture.ts";
import { allFiles } from "./files.ts";
import { ADMIN, ADMIN_KEY, jsonOf, type Made, makeKey } from "./keys/made.ts";
import { callIdOf, FAKE_KEY, fakeConfig, post, readStream } from "./wire.ts";

/** Payloads of calls that were really made: what is kept, and what appears nowhere. */

const PASSWORD = "Tr0ub4dor";
const PHRASE = "open sesame please";
const EMAIL = "ada.lovelace@analytical.example";
const USER_KEY = "sk-live-0f1e2d3c4b5a69788796";
const SECRETS = [PASSWORD, PHRASE, EMAIL, USER_KEY, FAKE_KEY, ADMIN_KEY];
const TOML = `[payloads]
mode = "MODE"
redact = ['Tr0ub4dor', '(?i)open\\s+sesame\\s+\\w+']
`;
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

let upstream: FakeUpstream;
let on: TestCovey;
let off: TestCovey;

beforeAll(async () => {
  upstream = fakeUpstream();
  const start = (mode: string) =>
    startCovey({
      toml: fakeConfig(upstream, ["echo", "dies-4", "status-500"], TOML.replace("MODE", mode)),
      env: { FAKE_KEY, COVEY_ADMIN_KEY: ADMIN_KEY },
    });
  on = await start("on");
  off = await start("off");
});
afterAll(async () => {
  await on.close();
  await off.close();
  await upstream.close();
});

const say = (covey: TestCovey, body: object, headers: Record<string, string> = ADMIN) =>
  post(`${covey.url}/v1/chat/completions`, body, { headers });
const user = (content: unknown) => ({ messages: [{ role: "user", content }] });

async function detail(covey: TestCovey, id: string): Promise<CallDetail> {
  const url = `${covey.url}${ANALYTICS.calls.path}/${id}`;
  return CallDetail.parse(await jsonOf(fetch(url, { headers: ADMIN })));
}

/** The call with its payload, once both have reached the disk. */
async function kept(covey: TestCovey, id: string): Promise<CallDetail> {
  await covey.app.store.caughtUp();
  let found = await detail(covey, id);
  await until(async () => {
    found = await detail(covey, id);
    return found.payload !== null && found.status !== "running";
  });
  return found;
}

async function status(covey: TestCovey): Promise<PayloadStatus> {
  const url = `${covey.url}${ANALYTICS.payloads.path}`;
  return PayloadStatus.parse(await jsonOf(fetch(url, { headers: ADMIN })));
}

describe("where payloads are on", () => {
  test("a whole answer and its request are kept, without what was ours in the request", async () => {
    const answer = await say(on, {
      model: "echo",
      ...user("one two"),
      provider: { order: ["fake"] },
    });
    await answer.text();
    const { payload } = await kept(on, callIdOf(answer));
    expect(payload?.request).toEqual({ model: "echo", ...user("one two") });
    expect(payload?.answer).toMatchObject({
      choices: [{ message: { content: "one two" }, finish_reason: "stop" }],
    });
  });

  test("a stream's text is put together; what its pieces hide is found in the whole", async () => {
    const answer = await say(on, { model: "echo", ...user(`so ${PHRASE} now`), stream: true });
    expect((await readStream(answer)).text).toBe(`so ${PHRASE} now`);
    const { payload } = await kept(on, callIdOf(answer));
    expect(payload?.answer).toEqual({
      choices: [{ index: 0, text: "so [redacted] now", finished: true }],
    });
  });

  test("of a stream that broke off there is what was sent", async () => {
    const answer = await say(on, { model: "dies-4", ...user("x"), stream: true });
    await answer.text();
    const { payload, status } = await kept(on, callIdOf(answer));
    expect(status).toBe("failed");
    expect(payload?.answer).toMatchObject({ choices: [{ index: 0, finished: false }] });
  });

  test("of a call that failed there is what it asked", async () => {
    const answer = await say(on, { model: "status-500", ...user("please") });
    const { payload } = await kept(on, callIdOf(answer));
    expect(payload).toMatchObject({ request: user("please"), answer: null });
  });

  test("of a client that left in the middle there is what it got", async () => {
    const left = new AbortController();
    const answer = await post(
      `${on.url}/v1/chat/completions`,
      { model: "echo", ...user("word ".repeat(2000)), stream: true },
      { headers: ADMIN, signal: left.signal },
    );
    const reader = answer.body?.getReader();
    await reader?.read();
    left.abort();
    const { payload } = await kept(on, callIdOf(answer));
    expect(payload?.request).toMatchObject({ model: "echo" });
  });

  test("an image is kept once, and given to the admin as an image", async () => {
    const parts = [
      { type: "text", text: "what is it" },
      { type: "image_url", image_url: { url: `data:image/png;base64,${PNG}` } },
    ];
    let id = "";
    for (let i = 0; i < 3; i++) {
      const answer = await say(on, { model: "echo", ...user(parts) });
      await answer.text();
      id = callIdOf(answer);
      await kept(on, id);
    }
    const text = JSON.stringify((await kept(on, id)).payload);
    expect(text).not.toContain(PNG);
    const hash = /sha256:([0-9a-f]{64})/.exec(text)?.[1] ?? "";
    const url = `${on.url}${ANALYTICS.payloads.path}/images/${hash}`;
    const image = await fetch(url, { headers: ADMIN });
    expect(image.headers.get("content-type")).toBe("image/png");
    expect(Buffer.from(await image.arrayBuffer()).toString("base64")).toBe(PNG);
    expect((await fetch(url)).status).toBe(403);
    expect((await status(on)).image_bytes).toBeLessThan(200);
  });

  test("a planted secret is nowhere on disk, in no log line and in no answer of the admin API", async () => {
    const planted = SECRETS.join(" and ");
    const escaped = JSON.stringify({ note: planted });
    const bodies = [
      user(planted),
      { ...user("x"), stop: [PASSWORD], user: EMAIL, metadata: { [EMAIL]: PASSWORD } },
      {
        messages: [
          { role: "system", content: [{ type: "text", text: planted }] },
          { role: "user", content: "x" },
          {
            role: "assistant",
            content: null,
            tool_calls: [
              { id: "1", type: "function", function: { name: "f", arguments: escaped } },
            ],
          },
          { role: "tool", tool_call_id: "1", content: planted },
        ],
      },
    ];
    const answers: string[] = [];
    for (const body of bodies) {
      for (const stream of [false, true]) {
        for (const model of ["echo", "dies-4", "status-500"]) {
          const answer = await say(on, { ...body, model, stream });
          await answer.text();
          const shown = await kept(on, callIdOf(answer));
          answers.push(JSON.stringify(shown));
        }
      }
    }
    await on.app.store.caughtUp();
    const texts = [...answers, ...on.logged, ...allFiles(on.home)].join("\n");
    expect(SECRETS.filter((secret) => texts.includes(secret))).toEqual([]);
    expect(texts).toContain("[redacted]");
    expect(texts).toContain("[email]");
    expect(await status(on)).toMatchObject({ dropped: 0, failed: 0, last_failure: null });
  });
});

describe("where payloads are off", () => {
  test("nothing is kept, and no folder is made", async () => {
    const answer = await say(off, { model: "echo", ...user(PASSWORD) });
    await answer.text();
    await off.app.store.caughtUp();
    expect((await detail(off, callIdOf(answer))).payload).toBeNull();
    expect(await status(off)).toMatchObject({ kept: 0, dropped: 0, bytes: 0 });
    expect(allFiles(off.home).some((file) => file.includes(PASSWORD))).toBe(false);
  });

  test("a key of its own may want them, and another not", async () => {
    const wants: Made = await makeKey(off, { payloads: "on" });
    const without: Made = await makeKey(off, { payloads: "off" });
    const ids: string[] = [];
    for (const { headers } of [without, wants]) {
      const answer = await say(off, { model: "echo", ...user("hi") }, headers);
      await answer.text();
      ids.push(callIdOf(answer));
    }
    const [no = "", yes = ""] = ids;
    expect((await kept(off, yes)).payload?.request).toMatchObject(user("hi"));
    expect((await detail(off, no)).payload).toBeNull();
  });
});
