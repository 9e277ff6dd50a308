import { afterEach, beforeEach, expect, test } from "bun:test";
import { startCovey } from "../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { hasPostgres, Postgres, postgresDatabase } from "../postgres.ts";
import { chatBody, FAKE_KEY, fakeConfig, post, until } from "./wire.ts";

const COVEY_SECRET = "e2e-secret-0123456789abcdef0123456789abcdef";

let upstream: FakeUpstream;
beforeEach(() => {
  upstream = fakeUpstream();
});
afterEach(() => upstream.close());

function gateway(databaseUrl: string) {
  const toml = fakeConfig(upstream, ["echo"]);
  return startCovey({ toml, env: { FAKE_KEY, COVEY_SECRET, DATABASE_URL: databaseUrl } });
}

async function chat(url: string): Promise<string | null> {
  const answer = await post(`${url}/v1/chat/completions`, chatBody("echo", "one two three"));
  expect(answer.status).toBe(200);
  await answer.json();
  return answer.headers.get("x-covey-call-id");
}

test.skipIf(!hasPostgres)(
  "two gateways with one DATABASE_URL see each other's calls and sums",
  async () => {
    const url = await postgresDatabase();
    const [a, b] = await Promise.all([gateway(url), gateway(url)]);
    const ids = [await chat(a.url), await chat(b.url), await chat(b.url)];
    await Promise.all([a.app.store.caughtUp(), b.app.store.caughtUp()]);
    const listed = await a.app.store.calls.listCalls({ limit: 10 });
    expect(listed.map(({ id }) => id).sort()).toEqual(ids.map(String).sort());
    const counted = await b.app.store.calls.counters();
    expect(counted.reduce((sum, row) => sum + row.calls, 0)).toBe(3);
    await Promise.all([a.close(), b.close()]);
  },
  30_000,
);

test.skipIf(!hasPostgres)(
  "with the database away calls are answered and readiness says why, without its password",
  async () => {
    const postgres = await Postgres.start();
    const url = (await postgres.database()).replace("covey@", "covey:hunter2-hunter2@");
    const covey = await gateway(url);
    await chat(covey.url);
    await covey.app.store.caughtUp();
    await postgres.crash();
    const id = await until(async () => {
      const told = await chat(covey.url);
      return covey.app.store.health().detail === null ? null : told;
    }, "the database's trouble is noticed");
    const ready = await (await fetch(`${covey.url}/health/ready`)).text();
    expect(ready).toContain("database");
    expect(ready + covey.logged.join("\n")).not.toContain("hunter2");
    await postgres.run();
    expect(await covey.app.store.caughtUp(20_000)).toBe(true);
    expect(await covey.app.store.calls.getCall(String(id))).toMatchObject({ status: "completed" });
    await covey.close();
    await postgres.stop();
  },
  60_000,
);

test.each([
  ["no PostgreSQL's", "mysql://covey:hunter2-hunter2@127.0.0.1/covey"],
  ["no URL", "postgres://covey:hunter2 hunter2@127.0.0.1:99999/covey"],
])("a DATABASE_URL that is %s is refused at start, and not repeated", async (_, url) => {
  const starting = gateway(url);
  await expect(starting).rejects.toThrow("DATABASE_URL: expected postgres://");
  await expect(starting).rejects.not.toThrow("hunter2");
});
