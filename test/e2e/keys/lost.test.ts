import { expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, startCovey } from "../../covey.ts";
import { fakeUpstream } from "../../fake-upstream.ts";
import { tempFolder } from "../../store/calls-fixture.ts";
import { chatBody, post } from "../wire.ts";
import { ADMIN, ADMIN_KEY } from "./made.ts";

/** What keys hang on, lost: nothing opens, nothing is lifted, and it is said. */

const env = { COVEY_ADMIN_KEY: ADMIN_KEY };

async function made(url: string, body: object): Promise<string> {
  const answer = await post(`${url}/admin/v1/keys`, body, { headers: ADMIN });
  const { key } = (await answer.json()) as { key: string };
  return key;
}

test("a key of a plan that the config no longer has may do nothing, instead of everything", async () => {
  using home = tempFolder();
  const upstream = fakeUpstream();
  const config = (plan: string) => `
[engine]
preload = false
[plans.${plan}]
requests_per_minute = 5
[providers.fake]
base_url = "${upstream.url}"
discover = false
models = [{ id = "echo" }]
`;
  const before = await startCovey({ home: home.path, toml: config("team"), env });
  const key = await made(before.url, { name: "ci", plan: "team" });
  const ask = async (url: string) => {
    const headers = { authorization: `Bearer ${key}` };
    const answer = await post(`${url}/v1/chat/completions`, chatBody("echo", "hi"), { headers });
    return [answer.status, JSON.stringify(await answer.json())] as const;
  };
  try {
    expect((await ask(before.url))[0]).toBe(200);
  } finally {
    await before.close();
  }
  const after = await startCovey({ home: home.path, toml: config("tim"), env });
  try {
    const [status, body] = await ask(after.url);
    expect(status).toBe(403);
    expect(body).toContain("on the plan 'team', which this server's config does not have");
    const paths = ["/v1/plan", "/account/concurrency", "/api/v1/key", "/v1/parallel-requests"];
    for (const path of paths) {
      const told = await fetch(`${after.url}${path}`, {
        headers: { authorization: `Bearer ${key}` },
      });
      expect([path, told.status, await told.text()]).toEqual([
        path,
        403,
        expect.stringContaining("on the plan 'team'"),
      ]);
    }
    const headers = { authorization: `Bearer ${key}` };
    const image = { image: "iVBORw0KGgo=" };
    expect((await post(`${after.url}/api/vision`, image, { headers })).status).toBe(403);
  } finally {
    await after.close();
    await upstream.close();
  }
});

test("that a key's plan is not in the config is told at the start, on reload, by check and in readiness", async () => {
  using home = tempFolder();
  const config = (plan: string) =>
    `[engine]\npreload = false\n[auth]\nallow_anonymous = false\n[plans.${plan}]\nrequests_per_minute = 5\n`;
  const covey = await startCovey({ home: home.path, toml: config("team"), env });
  const detail = async () => {
    const answer = await fetch(`${covey.url}/health/ready`, { headers: ADMIN });
    const { keys } = (await answer.json()) as { keys: { ok: boolean; detail: string | null } };
    return [keys.ok, keys.detail];
  };
  const reload = async () => {
    const answer = await post(`${covey.url}/admin/v1/reload`, {}, { headers: ADMIN });
    return ((await answer.json()) as { warnings: string[] }).warnings.join("\n");
  };
  const told = () => covey.logged.filter((line) => line.includes("is refused, as the config"));
  const secret = await made(covey.url, { name: "ci", plan: "team" });
  try {
    expect(await detail()).toEqual([true, null]);
    covey.rewrite(config("tim"));
    expect(await reload()).toContain('does not have its plan team: "ci" (key_');
    expect(told()).toHaveLength(1);
    // Whoever may call reads it, so that it names no key.
    const counted = "1 key is refused, as the config does not have its plan team";
    expect(await detail()).toEqual([true, counted]);
    await post(`${covey.url}/admin/v1/keys/ci`, { plan: null }, { headers: ADMIN });
    expect(await detail()).toEqual([true, null]);
    covey.rewrite(config("team"));
    await reload();
    await post(`${covey.url}/admin/v1/keys/ci`, { plan: "team" }, { headers: ADMIN });
    expect(told()).toHaveLength(1);
  } finally {
    await covey.close();
  }
  const after = await startCovey({ home: home.path, toml: config("tim"), env });
  const logged = after.logged.join("");
  await after.close();
  expect(logged).toContain("does not have its plan team");
  const file = join(home.path, "covey.toml");
  writeFileSync(file, config("tim"));
  const command = [process.execPath, "src/main.ts", "check", "--config", file, "--home", home.path];
  const check = Bun.spawn(command, {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? "", HOME: home.path, ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const out = await new Response(check.stdout).text();
  expect(out).toContain(
    '✗ keys: 1 key is refused, as the config does not have its plan team: "ci"',
  );
  expect(await check.exited).toBe(1);
  expect(out + logged).not.toContain(secret);
}, 20_000);

test("a lost secret is not replaced while there are keys that it made", async () => {
  using home = tempFolder();
  const before = await startCovey({ home: home.path, env });
  await made(before.url, { name: "ci" });
  await before.close();
  rmSync(join(home.path, "secret"));
  for (let attempt = 0; attempt < 2; attempt++) {
    const again = startCovey({ home: home.path, env });
    await expect(again).rejects.toThrow(/1 key was made with a server secret that is not here/);
  }
});
