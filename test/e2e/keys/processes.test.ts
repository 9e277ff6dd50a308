import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readiness } from "../../../src/contract/health.ts";
import { type CoveyProcess, ROOT, spawnCovey } from "../../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../../fake-upstream.ts";
import { hasPostgres, postgresDatabase } from "../../postgres.ts";
import { allFiles } from "../files.ts";
import { FAKE_KEY, fakeConfig, frames, until } from "../wire.ts";
import { ADMIN_KEY, admin, bearer, chat, coveyKeys, jsonOf, makeKey } from "./made.ts";

/** Keys that one process makes and another one knows: the command line, two gateways, a restart. */

/** From the moment a key is revoked elsewhere until its stream has ended. */
const ENDED_WITHIN_MS = 1000;
const SECRET = "0123456789abcdef0123456789abcdef";

let upstream: FakeUpstream;
let folder: string;
let home: string;
let config: string;
let running: CoveyProcess[];

beforeEach(() => {
  upstream = fakeUpstream();
  folder = mkdtempSync(join(tmpdir(), "covey-keys-"));
  home = join(folder, "home");
  config = join(folder, "covey.toml");
  writeFileSync(config, fakeConfig(upstream, ["echo", "endless-20"]));
  running = [];
});
afterEach(async () => {
  for (const covey of running) await covey.end();
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

async function serve(env: Record<string, string> = {}, at = home): Promise<CoveyProcess> {
  const covey = await spawnCovey(["--home", at, "--config", config], { FAKE_KEY, ...env });
  running.push(covey);
  return covey;
}

async function create(args: readonly string[], env: Record<string, string> = {}) {
  const said = await coveyKeys(home, ["create", "--json", ...args], env);
  expect([said.err, said.code]).toEqual(["", 0]);
  const made: { id: string; key: string; prefix: string } = JSON.parse(said.out);
  return made;
}

const status = async (covey: CoveyProcess, key: string) => (await chat(covey, key, "echo")).status;

/** Milliseconds until the key's stream has ended, which must be with a 401. */
async function endedAfter(answer: Response, since: number): Promise<number> {
  let last = "";
  for await (const frame of frames(answer)) if (frame.startsWith("data: ")) last = frame;
  expect(JSON.parse(last.slice("data: ".length)).error).toMatchObject({ code: "invalid_api_key" });
  return performance.now() - since;
}

test("a key made before the server ever ran opens it, from then on any other is a 401, also after a restart", async () => {
  const { key } = await create(["--name", "first"]);
  for (let round = 0; round < 2; round++) {
    const covey = await serve();
    expect(await status(covey, key)).toBe(200);
    expect(await status(covey, "anything")).toBe(401);
    expect((await fetch(`${covey.url}/v1/models`)).status).toBe(200);
    covey.kill("SIGKILL");
    await covey.exited;
  }
}, 30_000);

test("a running server takes and drops keys of the command line, and ends their streams within a second", async () => {
  const covey = await serve();
  expect(await status(covey, "anything")).toBe(200);
  const { key, prefix } = await create([
    "--name",
    "ci",
    "--models",
    "echo,endless-*",
    "--expires",
    "30d",
  ]);
  // Until the key is known, it is as good as any other text.
  await until(
    async () => ((await status(covey, "anything")) === 401 ? true : null),
    "the key is known",
  );
  expect(await status(covey, key)).toBe(200);
  const answer = await chat(covey, key, "endless-20", { stream: true });

  const listed = await coveyKeys(home, ["list"]);
  expect(listed.out).toContain(prefix);
  expect(listed.out).not.toContain(key);

  const revoking = coveyKeys(home, ["revoke", "ci", "--json"]);
  const ended = endedAfter(answer, performance.now());
  const { revoked_at } = JSON.parse((await revoking).out);
  await ended;
  // The row's own time is when it was written: nothing that the command did before counts.
  expect(Date.now() - Date.parse(revoked_at)).toBeLessThan(ENDED_WITHIN_MS);
  expect(await status(covey, key)).toBe(401);
  const texts = [covey.output(), ...allFiles(home)].join("\n");
  expect(texts).not.toContain(key.slice(prefix.length));
}, 30_000);

test.skipIf(!hasPostgres)(
  "two gateways on one PostgreSQL: what one revokes ends at the other within a second",
  async () => {
    const env = {
      DATABASE_URL: await postgresDatabase(),
      COVEY_SECRET: SECRET,
      COVEY_ADMIN_KEY: ADMIN_KEY,
    };
    const here = await serve(env);
    const there = await serve(env, join(folder, "other"));
    const { id, key } = await makeKey(here);
    await until(async () => ((await status(there, key)) === 200 ? true : null), "the key is known");
    const answer = await chat(there, key, "endless-20", { stream: true });
    const since = performance.now();
    expect((await admin(here, `/${id}/revoke`, {})).status).toBe(200);
    expect(await endedAfter(answer, since)).toBeLessThan(ENDED_WITHIN_MS);
    expect(await status(there, key)).toBe(401);
    // The command line is a third one.
    const { key: third } = await create(["--name", "third"], env);
    for (const covey of [here, there]) {
      await until(
        async () => ((await status(covey, third)) === 200 ? true : null),
        "known to both",
      );
    }
    expect(existsSync(join(home, "secret"))).toBe(false);
  },
  60_000,
);

describe("the server's secret", () => {
  test("is made with the first start, for its owner alone, and is what keys need", async () => {
    const { key } = await create(["--name", "x"]);
    const file = join(home, "secret");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const secret = readFileSync(file, "utf8").trim();
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    rmSync(file);
    const same = await serve({ COVEY_SECRET: secret });
    expect(await status(same, key)).toBe(200);
    await same.end();
    const other = await serve({ COVEY_SECRET: SECRET });
    expect(await status(other, key)).toBe(401);
    const ready = await jsonOf<Readiness>(fetch(`${other.url}/health/ready`));
    expect(ready.keys.detail).toBe("1 keys were made with another server secret and open nothing");
    // Its own are good, and the command line must have the same secret.
    const own = await create(["--name", "y"], { COVEY_SECRET: SECRET });
    await until(async () => ((await status(other, own.key)) === 200 ? true : null), "known");
    for (const args of [
      ["create", "--name", "z"],
      ["rotate", "x"],
    ]) {
      const made = await coveyKeys(home, args);
      expect([made.out, made.code]).toEqual(["", 1]);
      expect(made.err).toContain("has another server secret");
    }
  }, 30_000);

  test.each([
    ["empty", { COVEY_SECRET: "" }, /the server secret in COVEY_SECRET is empty/],
    ["white space", { COVEY_SECRET: " ".repeat(40) }, /the server secret in COVEY_SECRET is empty/],
    ["short", { COVEY_SECRET: "x".repeat(31) }, /COVEY_SECRET has 31 characters: .*at least 32/],
    [
      "missing where others share the database",
      { DATABASE_URL: "postgres://127.0.0.1:1/x" },
      /DATABASE_URL is set and COVEY_SECRET is not/,
    ],
  ])(
    "refuses to start when it is %s",
    async (_, env, message) => {
      const refused = serve(env).then(() => "started", String);
      expect(await refused).toMatch(message);
      expect((await coveyKeys(home, ["list"], env)).err).toMatch(message);
    },
    30_000,
  );

  test("refuses to start when its file is empty, or when others can read it", async () => {
    await create(["--name", "x"]);
    const file = join(home, "secret");
    chmodSync(file, 0o644);
    expect((await coveyKeys(home, ["list"])).err).toContain("can be read by others: chmod 600");
    chmodSync(file, 0o600);
    writeFileSync(file, "\n");
    expect(await serve().then(() => "started", String)).toContain("is empty");
  }, 30_000);
});

describe("covey keys", () => {
  test.each([
    [["frob"], "there is no covey keys frob"],
    [["create"], "needs a --name"],
    [["show"], "needs a key"],
    [["list", "x"], 'does not take "x"'],
    [["create", "--name", "x", "--budget", "10"], "--budget: expected US dollars"],
    [["create", "--name", "x", "--expires", "soon"], "--expires: expected a time"],
    [["create", "--name", "x", "--endpoints", "all,chat"], '--endpoints: there is no "all"'],
    [
      ["create", "--name", "x", "--plan", "gold"],
      "no covey.toml was read; name the server's with --config",
    ],
    [["create", "--name", "x", "--payloads", "yes"], "--payloads: expected off, sampled, on"],
    [["rotate", "x", "--overlap", "-1d"], "--overlap needs a value"],
    [["revoke", "nobody"], "There is no key 'nobody'"],
  ])("%j is refused in one line", async (args, message) => {
    const { out, err, code } = await coveyKeys(home, args);
    expect([out, code === 0]).toEqual(["", false]);
    expect(err).toContain(message);
    expect(err.trim().split("\n")).toHaveLength(1);
  });

  test("changes what is said and leaves the rest; two of a name must be told apart", async () => {
    const { id, key } = await create([
      "--name",
      "a",
      "--budget",
      "2.50/day",
      "--tags",
      "x,y",
      "--admin",
    ]);
    const changed = await coveyKeys(home, [
      "update",
      "a",
      "--json",
      "--owner",
      "ops",
      "--models",
      "qwen/*",
    ]);
    expect(JSON.parse(changed.out)).toMatchObject({
      ...{ id, name: "a", owner: "ops", models: ["qwen/*"], tags: ["x", "y"], role: "admin" },
      budget: { period: "day", usd: 2.5 },
    });
    expect((await coveyKeys(home, ["create", "--name", "a"])).err).toContain(
      '2 keys are now named "a": say which by its id or prefix',
    );
    const plan = ["update", id, "--plan", "gold", "--config", config];
    expect((await coveyKeys(home, plan)).err).toContain(
      `no plan "gold" in ${config}, which has no [plans]; name the server's config with --config`,
    );
    expect((await coveyKeys(home, ["revoke", "a"])).err).toContain("2 keys are named 'a'");
    const rotated = JSON.parse((await coveyKeys(home, ["rotate", id, "--json"])).out);
    expect([rotated.id, rotated.key === key]).toEqual([id, false]);
    const overlapping = (await coveyKeys(home, ["rotate", id, "--overlap", "24h"])).out;
    expect(overlapping).toContain(`The old one, ${rotated.prefix}-…, works until 20`);
    expect((await coveyKeys(home, ["show", id])).out).toContain(`${rotated.prefix}-…, works until`);
  }, 20_000);
});

test("covey check says whether anybody can get in", async () => {
  const check = async (host: string, env: Record<string, string> = {}) => {
    const child = Bun.spawn(
      [process.execPath, "src/main.ts", "check", "--config", config, "--host", host],
      {
        cwd: ROOT,
        env: { PATH: process.env.PATH ?? "", HOME: home, COVEY_HOME: home, FAKE_KEY, ...env },
        stdout: "pipe",
        stderr: "ignore",
      },
    );
    const said = await new Response(child.stdout).text();
    return said.split("\n").find((line) => line.slice(2).startsWith("keys: "));
  };
  expect(await check("127.0.0.1")).toBe("✓ keys: none; calls without a key are anonymous");
  expect(await check("0.0.0.0")).toStartWith("✗ keys: 0.0.0.0 can be reached from other machines");
  expect(existsSync(join(home, "secret"))).toBe(false);
  await create(["--name", "x"]);
  expect(await check("0.0.0.0")).toBe("✓ keys: 1 that open");
  expect(await check("0.0.0.0", { COVEY_SECRET: "" })).toContain("COVEY_SECRET is empty");
}, 30_000);

test("a server that others can reach starts with a key that was made, and not without", async () => {
  const open = ["--host", "0.0.0.0", "--home", home, "--config", config];
  const refused = await spawnCovey(open, { FAKE_KEY }).then(
    async (covey) => {
      await covey.end();
      return "started";
    },
    (error: Error) => error.message,
  );
  expect(refused).toContain("there is no key: make one with covey keys create");
  const { key } = await create(["--name", "x"]);
  const covey = await spawnCovey(open, { FAKE_KEY });
  running.push(covey);
  expect(await status(covey, key)).toBe(200);
  expect((await fetch(`${covey.url}/v1/models`)).status).toBe(401);
  expect((await fetch(`${covey.url}/v1/models`, { headers: bearer(key) })).status).toBe(200);
}, 30_000);
