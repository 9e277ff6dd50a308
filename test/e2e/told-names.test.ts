import { afterEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findings } from "../../src/cli/check.ts";
import { greeting } from "../../src/cli/greeting.ts";
import { startCovey } from "../covey.ts";
import { chatBody, post } from "./wire.ts";

/** What people are told of names that lead nowhere, and of keys that are not set. */
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

function listing(...ids: string[]): string {
  const list = { object: "list", data: ids.map((id) => ({ id })) };
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: () => Response.json(list),
  });
  closing.push(() => server.stop(true));
  return `http://127.0.0.1:${server.port}/v1`;
}

function folder(): string {
  const at = mkdtempSync(join(tmpdir(), "covey-told-"));
  closing.push(() => rmSync(at, { recursive: true, force: true }));
  return at;
}

async function start(toml: string, home = join(folder(), "home"), env = {}) {
  const covey = await startCovey({ toml: `[engine]\npreload = false\n${toml}`, home, env });
  closing.push(() => covey.close());
  await covey.app.discovered;
  return covey;
}

/** What an unknown model's caller is told. */
async function told(url: string, model: string): Promise<string> {
  const answer = await post(`${url}/v1/chat/completions`, chatBody(model, "Hi"));
  expect(answer.status).toBe(404);
  return ((await answer.json()) as { error: { message: string } }).error.message;
}

test("a bare name is told which model it likely means, whatever its case", async () => {
  const url = listing("Qwen/Qwen3-32B", "a/Some-Other", "b/Some-Other");
  const covey = await start(`[providers.gpu]\ntype = "vllm"\nbase_url = "${url}"\n`);
  for (const name of ["Qwen3-32B", "qwen3-32b"])
    expect(await told(covey.url, name)).toBe(
      `The model '${name}' does not exist here. Did you mean 'Qwen/Qwen3-32B'? GET /v1/models lists all.`,
    );
  expect(await told(covey.url, "some-other")).toContain(
    "Did you mean 'a/Some-Other' or 'b/Some-Other'?",
  );
  // An embedded model is no better guess than any of a provider's.
  expect(await told(covey.url, "zzzzzz")).not.toContain("is ready");
});

test("names under [routing.models] that no model has are told, at start and by check", async () => {
  const url = listing("Qwen/Qwen3-32B");
  const toml = [
    '[routing.models."Qwen/Qwen3-23B"]',
    'context_fallback = "some/large-one"',
    '[routing.models."qwen/qwen3-32b"]',
    'strategy = "cheapest"',
    `[providers.gpu]\ntype = "vllm"\nbase_url = "${url}"\n`,
  ].join("\n");
  const covey = await start(toml);
  const warned = covey.logged.filter((line) => line.includes("no model has the name"));
  expect(warned).toHaveLength(2);
  expect(warned[0]).toContain("Qwen/Qwen3-23B");
  expect(warned[1]).toContain("some/large-one");

  const at = folder();
  const config = join(at, "covey.toml");
  writeFileSync(config, toml);
  const found = await findings({ config, home: join(at, "home"), port: "0" });
  expect(
    found.flatMap(({ mark, text }) => (text.includes("no model has") ? [`${mark} ${text}`] : [])),
  ).toEqual([
    expect.stringMatching(
      /^✗ config: \S*covey\.toml:1: routing\.models: no model has the name "Qwen\/Qwen3-23B"; did you mean "Qwen\/Qwen3-32B"\?$/,
    ),
    expect.stringMatching(
      /^✗ config: \S*covey\.toml:2: context_fallback: no model has the name "some\/large-one"$/,
    ),
  ]);
});

test("a provider whose type is a typing error is one line, with its place in the config", async () => {
  const at = folder();
  const config = join(at, "covey.toml");
  writeFileSync(config, '[providers.gpu-box]\ntype = "vlm"\nbase_url = "http://g/v1"\n');
  const found = await findings({ config, home: join(at, "home"), port: "0" });
  expect(found).toEqual([
    {
      mark: "✗",
      text: expect.stringMatching(
        /^config: \S*covey\.toml:2: provider gpu-box: there is no provider file "vlm"; did you mean "vllm"\?$/,
      ),
    },
  ]);
});

test("a bad provider file that nobody uses is a warning, and ends nothing", async () => {
  const home = join(folder(), "home");
  mkdirSync(join(home, "providers"), { recursive: true });
  writeFileSync(join(home, "providers", "acme.toml"), 'name = "Acme"\nbase_ulr = "http://a"\n');
  const covey = await start("", home);
  expect(
    covey.logged.filter(
      (line) =>
        line.includes('unknown key \\"base_ulr\\"') || line.includes('unknown key "base_ulr"'),
    ),
  ).toHaveLength(1);
});

test("a provider without its key says so in the banner, and so do its models", async () => {
  const home = join(folder(), "home");
  const toml = `[providers.gpu]\ntype = "vllm"\nbase_url = "${listing("a/one")}"\napi_key_env = "GPU_KEY"\n`;
  const before = await startCovey({
    toml: `[engine]\npreload = false\n${toml}`,
    home,
    env: { GPU_KEY: "sk-1" },
  });
  await before.app.discovered;
  await before.close();
  const covey = await start(toml, home);
  const banner = greeting(covey.app, "127.0.0.1");
  expect(banner).toMatch(/gpu can't be used +GPU_KEY is not set/);
  expect(banner).not.toContain("is being fetched");
  expect(await told(covey.url, "a/one")).toBe(
    "The model 'a/one' is known but can't answer here: GPU_KEY is not set.",
  );
});
