import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CoveyProcess, spawnCovey, startCovey } from "../../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../../fake-upstream.ts";
import { settleIn, type TestRedis, testRedis } from "../../limits/redis-server.ts";
import { isHere } from "../../needs.ts";
import { ADMIN, ADMIN_KEY, jsonOf } from "../keys/made.ts";
import { chatBody, FAKE_KEY, fakeConfig, post, until } from "../wire.ts";

/** Two whole gateways and one Redis. */

const here = isHere("redis-server");
const LIMIT = 40;

let upstream: FakeUpstream;
let redis: TestRedis;
let folder: string;
const gateways: CoveyProcess[] = [];

beforeAll(async () => {
  if (!here) return;
  upstream = fakeUpstream();
  redis = await testRedis();
  await settleIn(redis.url, "covey:limits:");
  folder = mkdtempSync(join(tmpdir(), "covey-shared-"));
  const config = join(folder, "covey.toml");
  const limits = `[limits]\nmax_gateways = 2\n[limits.admin]\nrequests_per_minute = ${LIMIT}\n`;
  writeFileSync(config, fakeConfig(upstream, ["echo"], limits));
  const env = { FAKE_KEY, COVEY_ADMIN_KEY: ADMIN_KEY, REDIS_URL: redis.url };
  const homes = ["one", "two"].map((name) => join(folder, name));
  gateways.push(
    ...(await Promise.all(
      homes.map((home) => spawnCovey(["--config", config, "--home", home], env)),
    )),
  );
}, 30_000);

afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.end()));
  await redis?.close();
  await upstream?.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

interface Ready {
  readonly status: string;
  readonly limits: { readonly ok: boolean; readonly mode: string; readonly detail: string | null };
}

const ready = (gateway: CoveyProcess | undefined): Promise<Ready> =>
  jsonOf<Ready>(fetch(`${gateway?.url}/health/ready`, { headers: ADMIN }));

const ask = (gateway: CoveyProcess | undefined): Promise<Response> =>
  post(`${gateway?.url}/v1/chat/completions`, chatBody("echo", "hi"), { headers: ADMIN });

test.skipIf(!here)(
  "a storm on one key at both gets exactly its limit, and the rest when to come back",
  async () => {
    const answers = await Promise.all(
      Array.from({ length: LIMIT * 8 }, (_, n) => ask(gateways[n % 2])),
    );
    const admitted = answers.filter(({ status }) => status === 200);
    const refused = answers.filter(({ status }) => status === 429);
    expect([admitted.length, refused.length]).toEqual([LIMIT, LIMIT * 7]);
    expect(upstream.asked("hi")).toBe(LIMIT);
    for (const answer of refused) {
      const after = Number(answer.headers.get("retry-after"));
      expect(after).toBeGreaterThan(40);
      expect(after).toBeLessThanOrEqual(60);
    }
    expect(await ready(gateways[0])).toMatchObject({ limits: { ok: true, mode: "shared" } });
  },
);

test.skipIf(!here)(
  "without Redis limited keys get nothing, others all, and the readiness says so",
  async () => {
    await redis.kill();
    const [one] = gateways;
    const state = await until(async () => {
      const { status, limits } = await ready(one);
      return limits.ok ? null : { status, limits };
    }, "the gateway knows");
    expect(state).toMatchObject({ status: "ok", limits: { mode: "waiting" } });
    expect(state.limits.detail).toContain("Redis");
    expect(state.limits.detail).not.toContain(redis.url);
    const refused = await until(async () => {
      const answer = await ask(one);
      return answer.status === 503 ? answer : null;
    }, "refused");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(30);
  },
);

test("a REDIS_URL that is no address is refused at start, and not repeated", async () => {
  const starting = startCovey({ env: { REDIS_URL: "redis://:hunter2-hunter2@127.0.0.1:port" } });
  await expect(starting).rejects.toThrow("REDIS_URL: expected redis://");
  await expect(starting).rejects.not.toThrow("hunter2");
});
