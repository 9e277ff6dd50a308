import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CallRow } from "../../../src/store/index.ts";
import { spawnCovey, startCovey, type TestCovey } from "../../covey.ts";
import { type FakeUpstream, fakeUpstream, storyFor } from "../../fake-upstream.ts";
import { allFiles } from "../files.ts";
import { chatBody, post, readStream, until } from "../wire.ts";

/** A config that changes while calls run. */

const ADMIN = "an-admin-key-of-this-test";
const headers = { authorization: `Bearer ${ADMIN}` };
const OLD_KEY = "sk-old-aaaaaaaaaaaaaaaaaaaaaaaa";
const NEW_KEY = "sk-new-bbbbbbbbbbbbbbbbbbbbbbbb";

let first: FakeUpstream;
let second: FakeUpstream;
let covey: TestCovey | null = null;
beforeEach(() => {
  first = fakeUpstream({ dialect: "vllm" });
  second = fakeUpstream({ dialect: "vllm" });
});
afterEach(async () => {
  await covey?.close();
  covey = null;
  await first.close();
  await second.close();
});

const MODELS = `[{ id = "story-20" }, { id = "paced-20-story-40" }, { id = "status-500" }]`;
const provider = (id: string, upstream: FakeUpstream, more = "") =>
  `[providers.${id}]\ntype = "vllm"\nbase_url = "${upstream.url}"\nmodels = ${MODELS}\n${more}\n`;
const config = (...parts: string[]) => `[engine]\npreload = false\n${parts.join("\n")}`;

async function started(toml: string, env: Record<string, string> = {}): Promise<TestCovey> {
  covey = await startCovey({ toml, env: { COVEY_ADMIN_KEY: ADMIN, ...env } });
  return covey;
}

const ask = (url: string, model: string, said: string, fields: object = {}) =>
  post(`${url}/v1/chat/completions`, chatBody(model, said, fields), { headers });
const reload = (url: string) => fetch(`${url}/admin/v1/reload`, { method: "POST", headers });

test("under load, reloads lose no call and break no stream, while providers come and go", async () => {
  const { app, url, rewrite } = await started(config(provider("a", first), provider("b", second)));
  const states = [
    config(provider("b", second), provider("a", first, "priority = 1")),
    config(provider("b", second), "[routing]\nattempts = 5"),
    config(provider("a", first), provider("b", second)),
    config(provider("a", first)),
  ];
  let over = false;
  let calls = 0;
  const caller = async (name: number): Promise<void> => {
    while (!over) {
      const said = `call ${name} ${++calls}`;
      const stream = name % 2 === 0;
      const model = stream ? "paced-20-story-40" : "story-20";
      const answer = await ask(url, model, said, { stream });
      expect(answer.status).toBe(200);
      if (stream) expect((await readStream(answer)).text).toBe(storyFor(said, 40));
      else
        expect(JSON.stringify(await answer.json())).toContain(JSON.stringify(storyFor(said, 20)));
    }
  };
  const callers = Promise.all(Array.from({ length: 8 }, (_, name) => caller(name)));
  for (let round = 0; round < 24; round++) {
    rewrite(states[round % states.length] ?? "");
    expect((await reload(url)).status).toBe(200);
    const before = calls;
    await until(async () => (calls >= before + 8 ? true : null), "more calls");
  }
  over = true;
  await callers;
  await app.store.caughtUp();
  const rows = await allCalls(app.store);
  expect(rows.filter(({ status }) => status !== "completed")).toEqual([]);
  expect(rows).toHaveLength(calls);
}, 60_000);

/** Every call, page by page: a quick machine makes more than one page holds. */
async function allCalls({ calls }: TestCovey["app"]["store"]): Promise<CallRow[]> {
  const rows: CallRow[] = [];
  for (;;) {
    const last = rows.at(-1);
    const page = await calls.listCalls({
      limit: 1000,
      ...(last === undefined ? {} : { before: last.id }),
    });
    if (page.length === 0) return rows;
    rows.push(...page);
  }
}

test("a bad file changes nothing, and answer and log say which line", async () => {
  const { url, rewrite, logged } = await started(config(provider("a", first)));
  rewrite(config(provider("b", second), "[routing]\natempts = 9"));
  const refused = await reload(url);
  expect(refused.status).toBe(400);
  const said = JSON.stringify(await refused.json());
  expect(said).toMatch(
    /Nothing was changed\. .*covey\.toml:10: unknown key .*atempts.* did you mean/,
  );
  expect(logged.some((line) => line.includes("covey.toml:10"))).toBe(true);
  await ask(url, "story-20", "still at the first");
  expect([first.asked("still at the first"), second.asked("still at the first")]).toEqual([1, 0]);
  rewrite("[routing\n");
  expect(JSON.stringify(await (await reload(url)).json())).toContain("covey.toml:1:");
});

test("a reload that fails halfway is as if it had never been asked for", async () => {
  const keyed = config(provider("a", first), "[limits.anonymous]\nrequests_per_minute = 7");
  const { app, url, rewrite, logged } = await started(keyed);
  const backend = app.gateway.backends.get("a");
  const before = app.settings();
  const fault = spyOn(app.models, "replace").mockRejectedValueOnce(new Error("a planted fault"));
  rewrite(config(provider("a", second), provider("b", second)));
  const refused = await reload(url);
  expect(refused.status).toBe(500);
  const said = JSON.stringify(await refused.json());
  expect(said).toContain("The config could not be applied. Nothing was changed.");
  expect(said).not.toContain("planted");
  expect(logged.join("")).toContain("all is as it was before");
  expect(app.settings()).toBe(before);
  expect([...app.gateway.backends.keys()].sort()).toEqual(["a", "local"]);
  expect(app.gateway.backends.get("a")).toBe(backend);
  await ask(url, "story-20", "still at the first");
  expect([first.asked("still at the first"), second.asked("still at the first")]).toEqual([1, 0]);
  fault.mockRestore();
  expect((await reload(url)).status).toBe(200);
  await ask(url, "story-20", "now at the second");
  expect([first.asked("now at the second"), second.asked("now at the second")]).toEqual([0, 1]);
});

test("what needs a restart is named and left as it is, and the rest is applied", async () => {
  const gone = `[providers.b]\ntype = "vllm"\nbase_url = "${second.url}"\nmodels = [{ id = "b/story-5" }]`;
  const { app, url, rewrite } = await started(config(provider("a", first), gone));
  rewrite(
    `[server]\nhost = "0.0.0.0"\nmax_body = "1KB"\n[engine]\npreload = false\nthreads = 7\n[limits.anonymous]\nrequests_per_minute = 3\n${provider("a", first)}`,
  );
  const report = await (await reload(url)).json();
  expect(report).toMatchObject({
    status: "applied",
    providers: { added: [], changed: [], removed: ["b"] },
    need_restart: expect.arrayContaining(["server.host", "engine.threads"]),
  });
  expect(app.settings().config.server).toMatchObject({ host: "127.0.0.1", maxBody: 1000 });
  expect((await ask(url, "story-20", "x".repeat(2000))).status).toBe(413);
  expect((await ask(url, "b/story-5", "gone")).status).toBe(404);
  const anonymous = await post(`${url}/v1/chat/completions`, chatBody("story-20", "anonymous"));
  expect(anonymous.headers.get("x-ratelimit-limit-requests")).toBe("3");
});

test("a rotated key is used by the next call, an unchanged provider keeps its breaker, and no key is told", async () => {
  const env: Record<string, string> = { A_KEY: OLD_KEY };
  const keyed = `api_key_env = "A_KEY"`;
  const text = (more = "") =>
    config(
      '[logging]\ncalls = "info"\n[routing]\nattempts = 1\nbreaker_failures = 1\nbreaker_cooldown = "10m"',
      provider("a", first, keyed),
      `[providers.b]\ntype = "vllm"\nbase_url = "${second.url}"\nmodels = [{ id = "b/status-500", upstream_id = "status-500" }]`,
      more,
    );
  const running = await startCovey({
    toml: text(),
    env: Object.assign(env, { COVEY_ADMIN_KEY: ADMIN }),
  });
  covey = running;
  const { app, url } = running;
  const sent = (said: string) =>
    first.requests
      .filter(({ body }) => JSON.stringify(body).includes(said))
      .map(({ headers: all }) => all.get("authorization"));
  await ask(url, "b/status-500", "opens it");
  const breaker = () => app.gateway.health.of("b/status-500", performance.now()).breaker;
  expect(breaker()).toBe("open");
  await ask(url, "story-20", "with the old one");
  env.A_KEY = NEW_KEY;
  const report = await app.reload();
  expect(report.providers).toEqual({ added: [], changed: ["a"], removed: [] });
  await ask(url, "story-20", "with the new one");
  expect([sent("with the old one"), sent("with the new one")]).toEqual([
    [`Bearer ${OLD_KEY}`],
    [`Bearer ${NEW_KEY}`],
  ]);
  expect(breaker()).toBe("open");
  app.gateway.log.warn(`a slip: ${NEW_KEY}`, { detail: ADMIN });
  await app.store.caughtUp();
  const metrics = await (await fetch(`${url}/metrics`, { headers })).text();
  const all = [...running.logged, metrics, ...allFiles(running.home)].join("\n");
  expect([OLD_KEY, NEW_KEY, ADMIN].filter((key) => all.includes(key))).toEqual([]);
  expect(all).toContain("a call ended");
});

test("model files are read again: a new model answers to its name, one that is gone does not", async () => {
  const { app, url, home } = await started(config());
  const folder = join(home, "models");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "mine.toml");
  writeFileSync(
    file,
    `id = "mine/model"\nname = "Mine"\ncontext_length = 128\n[weights]\nfile = "none.gguf"\n`,
  );
  expect((await app.reload()).models).toEqual({ added: ["mine/model"], changed: [], removed: [] });
  const known = await ask(url, "mine/model", "hello");
  expect(JSON.stringify(await known.json())).toContain("is known but can't answer here");
  rmSync(file);
  expect((await app.reload()).models.removed).toEqual(["mine/model"]);
  expect(JSON.stringify(await (await ask(url, "mine/model", "hello")).json())).toContain(
    "does not exist here",
  );
});

test("reloading is for admins", async () => {
  const { url } = await started(config());
  const bare = await fetch(`${url}/admin/v1/reload`, { method: "POST" });
  expect([401, 403]).toContain(bare.status);
});

test("SIGHUP reloads a process, which goes on when the file is bad", async () => {
  const folder = mkdtempSync(join(tmpdir(), "covey-hup-"));
  chmodSync(folder, 0o700);
  const file = join(folder, "covey.toml");
  writeFileSync(file, config(provider("a", first)));
  const child = await spawnCovey(["--config", file, "--home", join(folder, "home")], {
    COVEY_ADMIN_KEY: ADMIN,
  });
  try {
    writeFileSync(file, config(provider("a", second)));
    child.kill("SIGHUP");
    await child.waitFor("the config was reloaded");
    await ask(child.url, "story-20", "after the signal");
    expect(second.asked("after the signal")).toBe(1);
    writeFileSync(file, "[server]\nprot = 1\n");
    child.kill("SIGHUP");
    await child.waitFor(/covey\.toml:2: unknown key/);
    await ask(child.url, "story-20", "after the bad one");
    expect(second.asked("after the bad one")).toBe(1);
  } finally {
    await child.end();
    rmSync(folder, { recursive: true, force: true });
  }
}, 30_000);
