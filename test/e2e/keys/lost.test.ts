import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { startCovey } from "../../covey.ts";
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
  } finally {
    await after.close();
    await upstream.close();
  }
});

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
