import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  ANALYTICS,
  CallDetail,
  CallList,
  Errors,
  PayloadStatus,
  Series,
  Top,
  Totals,
} from "../../src/contract/analytics.ts";
import { startCovey, type TestCovey } from "../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { ADMIN, ADMIN_KEY, chat, jsonOf, type Made, makeKey } from "./keys/made.ts";
import { callIdOf, endedRow, FAKE_KEY, fakeConfig, post, readStream } from "./wire.ts";

/** The analytics API as it is on the wire, of calls that were really made. */

const MODELS = ["echo", "other", "status-500", "dies-3"];
const PRICED = `[providers.paid]
base_url = "URL"
api_key_env = "FAKE_KEY"
models = [{ id = "acme/able", upstream_id = "able" }]
price = { prompt = 1, completion = 2.5 }
`;

let upstream: FakeUpstream;
let covey: TestCovey;
let first: Made;
let second: Made;
let streamed = "";

beforeAll(async () => {
  upstream = fakeUpstream();
  covey = await startCovey({
    toml: fakeConfig(upstream, MODELS) + PRICED.replace("URL", upstream.url),
    env: { FAKE_KEY, COVEY_ADMIN_KEY: ADMIN_KEY },
  });
  first = await makeKey(covey, { name: "the first, of all" });
  second = await makeKey(covey);
  for (let i = 0; i < 4; i++) await (await chat(covey, first.key, "echo")).text();
  for (let i = 0; i < 2; i++) await (await chat(covey, second.key, "acme/able")).text();
  await (await chat(covey, second.key, "status-500")).text();
  await (await chat(covey, second.key, "no-such-model")).text();
  const answer = await post(
    `${covey.url}/v1/chat/completions`,
    { model: "other", messages: [{ role: "user", content: "a b c" }], stream: true },
    { headers: { ...first.headers, "x-request-id": "mine-1", "x-title": "=1+1" } },
  );
  streamed = callIdOf(answer);
  await readStream(answer);
  await endedRow(covey, streamed);
  await covey.app.store.caughtUp();
});
afterAll(async () => {
  await covey.close();
  await upstream.close();
});

const get = (path: string, headers: Record<string, string> = ADMIN) =>
  fetch(`${covey.url}${path}`, { headers });
const json = (path: string) => jsonOf<unknown>(get(path));
const { totals, series, top, errors, calls } = ANALYTICS;

describe("for an admin", () => {
  test("totals are those of the calls that were made", async () => {
    const all = Totals.parse(await json(totals.path));
    expect(all).toMatchObject({ calls: 9, failed: 2 });
    const own = Totals.parse(await json(`${totals.path}?key=${first.id}`));
    for (const named of [first.prefix, first.key.slice(9, 17)])
      expect(Totals.parse(await json(`${totals.path}?key=${named}`))).toMatchObject({
        calls: own.calls,
      });
    const called = Totals.parse(await json(`${totals.path}?key=test`));
    const byId = Totals.parse(await json(`${totals.path}?key=${second.id}`));
    expect(called.calls).toBe(byId.calls);
    expect(called.calls).toBeGreaterThan(0);
    expect(own).toMatchObject({ calls: 5, failed: 0 });
    expect(own.first_token?.count).toBe(1);
    expect(own.total?.count).toBe(5);
    expect(own.total?.p99).toBeGreaterThan(0);
    const paid = Totals.parse(await json(`${totals.path}?model=acme/able`));
    const cost = (paid.prompt_tokens * 1 + paid.completion_tokens * 2.5) / 1e6;
    expect(paid.cost_usd).toBeCloseTo(cost, 9);
    expect(cost).toBeGreaterThan(0);
  });

  test("series, tops and errors agree with them", async () => {
    const line = Series.parse(await json(`${series.path}?span=minute&by=key`));
    const sum = line.data.reduce((all, point) => all + point.calls, 0);
    expect(sum).toBe(9);
    const names = new Map(line.data.map(({ group, name }) => [group, name]));
    expect(names.get(first.id)).toBe("the first, of all");
    const models = Top.parse(await json(`${top.path}?by=model&sort=calls`));
    expect(models.data[0]).toMatchObject({ group: "echo", calls: 4 });
    const kinds = Errors.parse(await json(errors.path));
    expect(kinds.data).toContainEqual({ error: "model_not_found", status: "refused", calls: 1 });
    expect(kinds.data).toContainEqual({ error: "upstream_error", status: "failed", calls: 1 });
  });

  test("the list is paged, and one call shows its attempts", async () => {
    const seen: string[] = [];
    let next: string | null = "";
    while (next !== null) {
      const after = next === "" ? "" : `&after=${next}`;
      const page = CallList.parse(
        await json(`${calls.path}?limit=2&endpoint=/v1/chat/completions${after}`),
      );
      seen.push(...page.data.map(({ id }) => id));
      next = page.next;
    }
    expect(seen.length).toBe(9);
    expect(new Set(seen).size).toBe(9);
    const mine = CallList.parse(await json(`${calls.path}?request_id=mine-1`));
    expect(mine.data.map(({ id }) => id)).toEqual([streamed]);
    const one = CallDetail.parse(await json(`${calls.path}/${streamed}`));
    expect(one).toMatchObject({ key: first.id, status: "completed", payload: null, stream: true });
    expect(one.attempts.length).toBe(1);
    expect((await get(`${calls.path}/chatcmpl-none`)).status).toBe(404);
  });

  test("an export has the same calls, and no formula", async () => {
    const csv = await get(`${ANALYTICS.export.path}?key=${first.id}`);
    expect(csv.headers.get("content-disposition")).toMatch(/^attachment; filename="covey-calls-/);
    const text = await csv.text();
    expect(text.split("\r\n").length).toBe(1 + 5 + 1);
    expect(text).toContain(",'=1+1,");
    expect(text).toContain(`,${first.id},"the first, of all",`);
    const lines = await get(`${ANALYTICS.export.path}?format=ndjson&model=other`);
    expect((await lines.text()).trimEnd().split("\n").length).toBe(1);
  });

  test("a status that is none is told which there are", async () => {
    const refused = await json(`${calls.path}?status=foo`);
    expect(JSON.stringify(refused)).toContain("'completed', 'failed'");
  });

  test.each([
    ["a filter that is none", "?user=1", "user"],
    ["a time that is none", "?from=yesterday", "from"],
    ["a time turned round", "?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from"],
    ["a status that is none", "?status=done", "status"],
    ["a control character", "?model=a%00b", "model"],
    ["a line end", "?key=a%0d%0ab", "key"],
    ["too many names", `?key=${"a,".repeat(30)}`, "key"],
  ])("%s is a 400 that names it", async (_, query, param) => {
    const answer = await get(totals.path + query);
    expect(answer.status).toBe(400);
    expect(await jsonOf(answer)).toMatchObject({ error: { param } });
  });

  test.each([
    `${series.path}?span=second`,
    `${series.path}?by=key_id`,
    `${series.path}?by=model)%20FROM%20calls--`,
    `${top.path}?sort=calls;DROP%20TABLE%20calls`,
    `${top.path}?limit=1e9`,
    `${top.path}?limit=-1`,
    `${calls.path}?after=1_'--`,
    `${calls.path}?after=x`,
    `${calls.path}?min_cost=1%20OR%201`,
    `${calls.path}?resumed=1`,
    `${ANALYTICS.export.path}?format=xlsx`,
  ])("%s is a 400", async (path) => {
    expect((await get(path)).status).toBe(400);
  });

  test.each(["..%2f..%2fcovey.db", "%27%20OR%201=1", "a".repeat(64), "%00"])(
    "an image called %s is a 404",
    async (name) => {
      expect((await get(`${ANALYTICS.payloads.path}/images/${name}`)).status).toBe(404);
    },
  );

  test("nothing was kept of what nobody asked to keep", async () => {
    expect(PayloadStatus.parse(await json(ANALYTICS.payloads.path))).toMatchObject({
      kept: 0,
      bytes: 0,
    });
  });
});

const PATHS = Object.values(ANALYTICS).map(({ path }) => path.replace(/\{\w+\}/, "x"));

describe("for others", () => {
  test.each(PATHS)("%s is closed to keys, to anonymous callers and to wrong keys", async (path) => {
    expect((await get(path, first.headers)).status).toBe(403);
    expect((await get(path, {})).status).toBe(403);
    expect((await get(path, { authorization: "Bearer sk-covey-wrong" })).status).toBe(401);
  });

  const generation = (id: string, headers: Record<string, string>) =>
    get(`/api/v1/generation?id=${id}`, headers);

  test("a key sees its own calls and nobody else's", async () => {
    expect((await generation(streamed, first.headers)).status).toBe(200);
    const others = await generation(streamed, second.headers);
    const none = await generation(streamed.replace(/.$/, "0"), second.headers);
    expect([others.status, none.status]).toEqual([404, 404]);
  });

  test("a key's spending is its own", async () => {
    type Usage = { data: { usage: number } };
    const usage = async (headers: Record<string, string>) =>
      (await jsonOf<Usage>(get("/api/v1/key", headers))).data.usage;
    expect(await usage(first.headers)).toBe(0);
    expect(await usage(second.headers)).toBeGreaterThan(0);
  });

  test("an anonymous caller sees the one call whose id it has, and no key's", async () => {
    const answer = await post(`${covey.url}/v1/chat/completions`, {
      model: "echo",
      messages: [{ role: "user", content: "hi" }],
    });
    expect(answer.status).toBe(200);
    await endedRow(covey, callIdOf(answer));
    expect((await generation(callIdOf(answer), {})).status).toBe(200);
    expect((await generation(callIdOf(answer), first.headers)).status).toBe(404);
    expect((await generation(streamed, {})).status).toBe(404);
  });
});
