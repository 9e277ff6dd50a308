import { afterAll, expect, test } from "bun:test";
import { RedisClient } from "bun";
import { findings } from "../../src/cli/check.ts";
import { policyFinding, serviceFindings } from "../../src/cli/check-services.ts";
import { loadConfig } from "../../src/config/load.ts";
import { type TestRedis, testRedis } from "../limits/redis-server.ts";
import { isHere } from "../needs.ts";
import { hasPostgres, postgresDatabase } from "../postgres.ts";
import { tempFolder } from "../store/calls-fixture.ts";

/** What `covey check` says of the services around a gateway; they are real ones. */

const hasRedis = isHere("redis-server");
const redis: TestRedis | null = hasRedis ? await testRedis() : null;
afterAll(() => redis?.close());

async function told(env: Record<string, string>): Promise<string[]> {
  using home = tempFolder();
  const config = loadConfig({ flags: { home: home.path }, env, cwd: home.path });
  return (await serviceFindings(config)).map(({ mark, text }) => `${mark} ${text}`);
}

test("nothing is asked where nothing is named", async () => {
  expect(await told({})).toEqual([]);
});

test("services that do not answer are named by their place, without the password", async () => {
  const [database = "", cache = ""] = await told({
    DATABASE_URL: "postgres://u:hunter2-hunter2@127.0.0.1:1/log",
    REDIS_URL: "redis://:hunter2-hunter2@127.0.0.1:1/3",
  });
  expect(database).toStartWith("✗ DATABASE_URL: 127.0.0.1:1/log can't be used: Failed to connect");
  expect(cache).toStartWith("✗ REDIS_URL: 127.0.0.1:1/3 can't be used: ");
  expect(database + cache).not.toContain("hunter2");
});

test.skipIf(!hasPostgres)(
  "a database is told with its version, and one that is not there as that",
  async () => {
    const url = await postgresDatabase();
    expect(await told({ DATABASE_URL: url })).toEqual([
      expect.stringMatching(
        /^✓ DATABASE_URL: PostgreSQL \d+\.\d+ at 127\.0\.0\.1:\d+\/covey_\d+, without tables yet$/,
      ),
    ]);
    const [missing] = await told({ DATABASE_URL: `${url}_not_there` });
    expect(missing).toMatch(
      /^✗ DATABASE_URL: .*_not_there can't be used: .*"covey_\d+_not_there" does not exist/,
    );
  },
);

test.skipIf(!hasRedis)(
  "Redis is told with its version, and a policy that evicts as a fault",
  async () => {
    const env = { REDIS_URL: redis?.url ?? "" };
    expect(await told(env)).toEqual([
      expect.stringMatching(/^✓ REDIS_URL: Redis \d+\.\d+\.\d+ at 127\.0\.0\.1:\d+$/),
    ]);
    const client = new RedisClient(env.REDIS_URL);
    await client.send("CONFIG", ["SET", "maxmemory-policy", "allkeys-lru"]);
    expect((await told(env))[1]).toStartWith("– REDIS_URL: its maxmemory-policy is allkeys-lru");
    await client.send("CONFIG", ["SET", "maxmemory", "100mb"]);
    expect((await told(env))[1]).toStartWith("✗ REDIS_URL: its maxmemory-policy is allkeys-lru");
    await client.send("CONFIG", ["SET", "requirepass", "right-password"]);
    client.close();
    const wrong = { REDIS_URL: env.REDIS_URL.replace("://", "://:wrong-password@") };
    const [refused = ""] = await told(wrong);
    const reason = "it wants a password, and the one in the address is wrong or missing";
    expect(refused).toContain(`can't be used: ${reason}`);
    expect(refused).not.toContain("wrong-password");
  },
);

test("a policy that never evicts is fine", () => {
  expect(policyFinding({ maxmemory_policy: "noeviction", maxmemory: "1000" })).toBeNull();
  expect(policyFinding({})).toBeNull();
});

test("the check of everything has the services in it", async () => {
  using home = tempFolder();
  const before = process.env.REDIS_URL;
  process.env.REDIS_URL = "redis://127.0.0.1:1";
  try {
    const all = await findings({ home: home.path, port: "0" });
    expect(all.filter(({ text }) => text.startsWith("REDIS_URL:"))).toHaveLength(1);
  } finally {
    if (before === undefined) delete process.env.REDIS_URL;
    else process.env.REDIS_URL = before;
  }
});
