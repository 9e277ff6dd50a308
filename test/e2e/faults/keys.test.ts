import { afterEach, expect, test } from "bun:test";
import { UPSTREAM_SECRET } from "../../fake-upstream.ts";
import { allFiles } from "../files.ts";
import { expectAlive, expectWhole, type Pair, startPair } from "./pair.ts";

/** What a provider has against our key is our operator's problem: not the caller's, who never sees a key. */

const KEYS = ["sk-first-aaaaaaaaaaaaaaaaaaaaaaaa", "sk-first-bbbbbbbbbbbbbbbbbbbbbbbb"];
const SECOND = "sk-second-cccccccccccccccccccccc";
const FAULTS = ["status-401", "status-402", "status-403", "status-429", "once-429", "once-401"];
const env = { FIRST_KEY: KEYS.join(","), SECOND_KEY: SECOND };

let pair: Pair;
afterEach(() => pair.close());

/** The keys that the first upstream was sent for this text, in order. */
const sent = (said: string) =>
  pair.first.requests
    .filter(({ body }) => JSON.stringify(body).includes(said))
    .map(({ headers }) => headers.get("authorization")?.slice("Bearer ".length));

test.each(["status-401", "status-402", "status-403"])(
  "%s: another target answers",
  async (model) => {
    pair = await startPair(FAULTS, { env });
    for (const stream of [false, true]) {
      const seen = await pair.ask(`both/${model}`, { stream });
      expectWhole(seen);
      const keys = sent(seen.said);
      expect(new Set(keys).size).toBe(keys.length);
    }
    await expectAlive(pair);
  },
);

test.each(["status-401", "status-402", "status-403"])(
  "%s with nobody else is told as 502, and no key is tried twice",
  async (model) => {
    pair = await startPair(FAULTS, { env });
    const seen = await pair.ask(`alone/${model}`);
    expect([502, 503]).toContain(seen.status);
    const keys = sent(seen.said);
    expect([keys.length, new Set(keys).size]).toEqual([keys.length, keys.length]);
    expect(keys.length).toBeGreaterThan(0);
  },
);

test.each(["once-429", "once-401"])("%s: another key is taken at once", async (model) => {
  pair = await startPair(FAULTS, { env });
  const seen = await pair.ask(`alone/${model}`);
  expectWhole(seen);
  const keys = sent(seen.said);
  expect([keys.length, new Set(keys).size]).toEqual([2, 2]);
});

test("keys take turns", async () => {
  pair = await startPair(["story-5"], { env });
  const used = new Set<string | undefined>();
  for (let i = 0; i < 4; i++) used.add(sent((await pair.ask("healthy")).said)[0]);
  expect(used).toEqual(new Set(KEYS));
});

test("a key that was refused rests: the next calls don't use it", async () => {
  pair = await startPair(FAULTS, { env: { ...env, FIRST_KEY: KEYS[0] ?? "" } });
  await pair.ask("alone/status-401");
  const before = pair.first.requests.length;
  for (let i = 0; i < 3; i++) {
    const seen = await pair.ask("alone/status-401");
    expect([502, 503]).toContain(seen.status);
  }
  expect(pair.first.requests).toHaveLength(before);
});

test("no key is in any answer, header, log line or file", async () => {
  pair = await startPair(FAULTS, { env });
  const told: string[] = [];
  for (const model of FAULTS) {
    for (const stream of [false, true]) {
      const seen = await pair.ask(`alone/${model}`, { stream });
      told.push(JSON.stringify([seen.body, seen.stream, [...seen.headers], seen.row]));
    }
  }
  for (const path of ["/v1/models", "/health", "/health/ready", "/metrics", "/openapi.json"]) {
    told.push(await (await fetch(pair.covey.url + path)).text());
  }
  await pair.covey.app.store.caughtUp();
  const all = [...told, ...pair.covey.logged, ...allFiles(pair.covey.home)].join("\n");
  const found = [...KEYS, SECOND, UPSTREAM_SECRET].filter((key) => all.includes(key));
  expect(found).toEqual([]);
  expect(all).toContain("upstream says");
});
