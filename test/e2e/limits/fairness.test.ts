import { afterAll, beforeAll, expect, test } from "bun:test";
import { startCovey, type TestCovey } from "../../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../../fake-upstream.ts";
import { ADMIN_KEY, chat, makeKey } from "../keys/made.ts";
import { FAKE_KEY, fakeConfig } from "../wire.ts";

/** One key that floods and three that ask one request at a time, at an upstream that takes two at once. */

let upstream: FakeUpstream;
let covey: TestCovey;

beforeAll(async () => {
  upstream = fakeUpstream();
  covey = await startCovey({
    toml: `${fakeConfig(upstream, ["slow-40"])}concurrency = 2\n`,
    env: { FAKE_KEY, COVEY_ADMIN_KEY: ADMIN_KEY },
  });
});
afterAll(async () => {
  await covey.close();
  await upstream.close();
});

const LASTS_MS = 3000;
const FLOOD = 40;
/** Of 0.8 of a fourth: the machine may be busy. */
const LOOSE = 0.85;

test("each of the four gets its part of the upstream, and the flood no more", async () => {
  const keys = await Promise.all([0, 1, 2, 3].map(() => makeKey(covey)));
  const answered = keys.map(() => 0);
  const slowest = keys.map(() => 0);
  const until = performance.now() + LASTS_MS;
  const ask = async (key: string, index: number): Promise<void> => {
    while (performance.now() < until) {
      const began = performance.now();
      const answer = await chat(covey, key, "slow-40");
      await answer.text();
      if (answer.status !== 200 || performance.now() > until) continue;
      answered[index] = (answered[index] ?? 0) + 1;
      slowest[index] = Math.max(slowest[index] ?? 0, performance.now() - began);
    }
  };
  const askers = keys.flatMap(({ key }, index) =>
    Array.from({ length: index === 0 ? FLOOD : 1 }, () => ask(key, index)),
  );
  await Promise.all(askers);
  const all = answered.reduce((sum, count) => sum + count, 0);
  expect(all).toBeGreaterThan(40);
  for (const count of answered) expect(count / all).toBeGreaterThanOrEqual((LOOSE * 0.8) / 4);
  // An ordinary one waits for about one turn of each, not for the flood.
  const [, ...ordinary] = slowest;
  for (const ms of ordinary) expect(ms).toBeLessThan(LASTS_MS / 4);
});
