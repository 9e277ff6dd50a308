import { expect, test } from "bun:test";
import { join } from "node:path";
import { ROOT, startCovey } from "../covey.ts";
import { tempFolder } from "../store/calls-fixture.ts";
import { chatBody, post, until } from "./wire.ts";

/** Passwords and secrets of the services around a gateway, planted: nothing that it says holds one. */

const PLANTED = [
  "db-planted-pw",
  "db%2Dplanted",
  "option-planted",
  "redis-planted-pw",
  "secret-planted",
];
const ADMIN_KEY = "sk-admin-planted-0123456789abcdef";
const env = {
  COVEY_ADMIN_KEY: ADMIN_KEY,
  COVEY_SECRET: "secret-planted-0123456789abcdef0123456789",
  DATABASE_URL: "postgres://covey:db-planted-pw@127.0.0.1:1/log?sslpassword=option-planted",
  REDIS_URL: "redis://:redis-planted-pw@127.0.0.1:1/0",
};
const headers = { authorization: `Bearer ${ADMIN_KEY}` };

function expectNone(text: string): void {
  for (const secret of [...PLANTED, ADMIN_KEY]) expect(text).not.toContain(secret);
}

test("no secret of a service is in the log, in an error, in a health answer or in the metrics", async () => {
  const limited = "[limits.anonymous]\nrequests_per_minute = 5\n";
  const covey = await startCovey({ env, toml: `[engine]\npreload = false\n${limited}` });
  try {
    const { log } = covey.app.gateway;
    // What an error of somebody else's code might bring along.
    for (const value of Object.values(env)) log.error(`it slipped through: ${value}`, { value });
    log.warn("a password in a sentence: db-planted-pw, redis-planted-pw");
    const ready = await until(async () => {
      const text = await (await fetch(`${covey.url}/health/ready`, { headers })).text();
      return text.includes("The call log's database") && text.includes("Redis: ") ? text : null;
    }, "both are in trouble");
    const answers = await Promise.all([
      post(`${covey.url}/v1/chat/completions`, chatBody("tinyllama", "hi")),
      fetch(`${covey.url}/admin/v1/keys`, { headers }),
      fetch(`${covey.url}/admin/v1/analytics/totals`, { headers }),
      fetch(`${covey.url}/metrics`, { headers }),
    ]);
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    expectNone([ready, ...texts, ...covey.logged].join("\n"));
    expect(covey.logged.join("")).toContain("it slipped through: [key]");
    covey.rewrite("[engine]\npreload = false\n[logging]\nlevel = 'debug'\n");
    await covey.app.reload();
    log.debug("after a reload: redis-planted-pw");
    expectNone(covey.logged.join("\n"));
  } finally {
    await covey.close();
  }
}, 30_000);

test("no secret of a service is in what the command line says", async () => {
  using home = tempFolder();
  const run = async (planted: Record<string, string>, ...args: string[]) => {
    const child = Bun.spawn([process.execPath, join(ROOT, "src/main.ts"), ...args], {
      cwd: home.path,
      env: { PATH: process.env.PATH ?? "", HOME: home.path, ...env, ...planted },
      stdout: "pipe",
      stderr: "pipe",
    });
    const said = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    expect(await child.exited).not.toBe(0);
    expectNone(said.join("\n"));
    return said.join("\n");
  };
  const mode = { DATABASE_URL: "postgres://u:db-planted-pw@127.0.0.1:1/d?sslmode=option-planted" };
  for (const args of [["check"], ["keys", "list"], ["serve", "--port", "0"]]) {
    expect(await run(mode, ...args)).toContain("DATABASE_URL: its sslmode is none of disable,");
  }
  const rest = { DATABASE_URL: "postgres://u:1/db-planted-pw@127.0.0.1:1/d" };
  expect(await run(rest, "keys", "list")).toContain("the password percent-encoded");
  expect(await run({}, "keys", "list")).toContain("can't be opened");
  expect(await run({ COVEY_SECRET: "secret-planted" }, "keys", "list")).toContain("14 characters");
}, 60_000);
