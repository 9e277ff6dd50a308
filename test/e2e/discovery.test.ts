import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { greeting } from "../../src/cli/greeting.ts";
import { startCovey, type TestCovey } from "../covey.ts";

/** Providers that list their models, as real servers on real sockets. */
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

interface Provider {
  readonly url: string;
  /** What it lists; null answers 503. */
  list: object[] | null;
  readonly asked: string[];
  readonly answered: string[];
}

function provider(...list: object[]): Provider {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (request.method === "GET") {
        fake.asked.push(pathname);
        return fake.list === null
          ? new Response("", { status: 503 })
          : Response.json({ object: "list", data: fake.list });
      }
      const { model } = (await request.json()) as { model: string };
      fake.answered.push(model);
      return Response.json({
        id: "x",
        object: "chat.completion",
        created: 1,
        model,
        choices: [
          { index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" },
        ],
        usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
      });
    },
  });
  closing.push(() => server.stop(true));
  const fake: Provider = {
    url: `http://127.0.0.1:${server.port}/v1`,
    list,
    asked: [],
    answered: [],
  };
  return fake;
}

function homeFolder(): string {
  const home = mkdtempSync(join(tmpdir(), "covey-discovery-"));
  closing.push(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

const ENV = { FEATHERLESS_API_KEY: "sk-f", HYBRIDINFERENCE_API_KEY: "sk-h" };

async function start(
  toml: string,
  home?: string,
  env: Record<string, string> = ENV,
): Promise<TestCovey> {
  const covey = await startCovey({
    toml: `[engine]\npreload = false\n${toml}`,
    env,
    ...(home === undefined ? {} : { home }),
  });
  closing.push(() => covey.close());
  await covey.app.discovered;
  return covey;
}

const table = (id: string, { url }: Provider, more = "") =>
  `[providers.${id}]\nbase_url = "${url}"\n${more}\n`;

async function listed(covey: TestCovey, query = ""): Promise<Record<string, unknown>[]> {
  const answer = await fetch(`${covey.url}/v1/models${query}`);
  const { data } = (await answer.json()) as { data: Record<string, unknown>[] };
  return data;
}

const chat = (covey: TestCovey, model: string) =>
  fetch(`${covey.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "hello" }] }),
  });

test("a provider that is only named is used by what it lists", async () => {
  const featherless = provider({ id: "Qwen/Qwen2.5-72B-Instruct", context_length: 32_768 });
  const covey = await start(table("featherless", featherless));
  const [item] = await listed(covey, "?q=qwen2.5-72b");
  expect(item).toMatchObject({
    id: "Qwen/Qwen2.5-72B-Instruct",
    context_length: 32_768,
    model_class: "72B",
    concurrency_cost: 4,
    available_on_current_plan: true,
  });
  expect(item?.supported_parameters).toContain("min_p");
  expect(item?.supported_parameters).not.toContain("mirostat");
  const answer = await chat(covey, "qwen/qwen2.5-72b-instruct");
  expect(await answer.json()).toMatchObject({ model: "Qwen/Qwen2.5-72B-Instruct" });
  expect(featherless.answered).toEqual(["Qwen/Qwen2.5-72B-Instruct"]);
});

test("the same weights at two providers are one model with two targets", async () => {
  const featherless = provider({ id: "meta-llama/Llama-3.3-70B-Instruct" });
  const hybrid = provider({
    id: "llama-3.3-70b-instruct",
    pricing: { prompt: "0", completion: "0" },
  });
  const covey = await start(table("featherless", featherless) + table("hybridinference", hybrid));
  expect((await listed(covey, "?q=llama-3.3")).map(({ id }) => id)).toEqual([
    "meta-llama/Llama-3.3-70B-Instruct",
  ]);
  const model = covey.app.gateway.models.resolve("llama-3.3-70b-instruct");
  if (model === undefined) throw new Error("it is there");
  expect(covey.app.gateway.models.targets(model).map(({ id }) => id)).toEqual([
    "featherless/meta-llama/Llama-3.3-70B-Instruct",
    "hybridinference/llama-3.3-70b-instruct",
  ]);
});

test("models that are gated or on another plan are known and not offered", async () => {
  const featherless = provider(
    { id: "acme/open" },
    { id: "acme/gated", is_gated: true },
    { id: "acme/dear", available_on_current_plan: false },
  );
  const covey = await start(table("featherless", featherless));
  expect((await listed(covey, "?q=acme/")).map(({ id }) => id)).toEqual(["acme/open"]);
  const all = await listed(covey, "?q=acme/&available_on_current_plan=0");
  expect(all.map((item) => [item.id, item.available_on_current_plan, item.is_gated])).toEqual([
    ["acme/open", true, false],
    ["acme/gated", false, true],
    ["acme/dear", false, false],
  ]);
  const answer = await chat(covey, "acme/dear");
  expect(answer.status).toBe(404);
  expect(await answer.text()).toContain("not available on the current plan");
  expect(featherless.answered).toEqual([]);
});

test("what was listed is offered after a restart, though the provider is down", async () => {
  const home = homeFolder();
  const featherless = provider({ id: "a/one" });
  const first = await startCovey({ home, env: ENV, toml: table("featherless", featherless) });
  await first.app.discovered;
  await first.close();
  featherless.list = null;
  const covey = await start(table("featherless", featherless), home);
  expect((await listed(covey, "?q=a/one")).map(({ id }) => id)).toEqual(["a/one"]);
  const ready = await (await fetch(`${covey.url}/health/ready`)).json();
  expect(ready).toMatchObject({
    providers: [{ id: "featherless", models: 1, detail: "it answers 503" }],
  });
  expect(covey.logged.join("")).not.toContain("sk-f");
});

test("models that are named are offered at once, and no list is asked for", async () => {
  const box = provider({ id: "not/this" });
  const covey = await start(table("box", box, 'models = [{ id = "my/model", upstream_id = "u" }]'));
  expect((await listed(covey, "?q=my/")).map(({ id }) => id)).toEqual(["my/model"]);
  expect(box.asked).toEqual([]);
  expect(await (await fetch(`${covey.url}/health/ready`)).json()).toMatchObject({
    providers: [{ id: "box", models: null, detail: null }],
  });
});

test("a model that is named and one that is listed live side by side", async () => {
  const box = provider({ id: "u", max_model_len: 4_096 }, { id: "other/model" });
  const more =
    'discover = true\nmodels = [{ id = "my/model", upstream_id = "u", aliases = ["mine"] }]';
  const covey = await start(table("box", box, more));
  expect(
    (await listed(covey, "?q=/model")).map(({ id, context_length }) => [id, context_length]),
  ).toEqual([
    ["my/model", 4_096],
    ["other/model", null],
  ]);
  expect((await (await chat(covey, "mine")).json()) as object).toMatchObject({ model: "my/model" });
});

test("a list can't make a model of another name one of ours", async () => {
  const hub = "TinyLlama/TinyLlama-1.1B-Chat-v1.0";
  const box = provider(
    { id: "good", hugging_face_id: hub },
    { id: "tinyllama-1.1b-chat-v1.0", hugging_face_id: hub },
  );
  const { app } = await start(table("box", box));
  const targets = (name: string) => {
    const model = app.gateway.models.resolve(name);
    return model === undefined ? [] : app.gateway.models.targets(model).map(({ id }) => id);
  };
  expect(targets(hub)).toEqual([`local/${hub}`, "box/tinyllama-1.1b-chat-v1.0"]);
  expect(targets("good")).toEqual(["box/good"]);
});

test("COVEY_PROVIDERS switches a provider on without a config", async () => {
  const covey = await start("", undefined, { COVEY_PROVIDERS: "featherless" });
  expect(covey.logged.join("")).toContain("FEATHERLESS_API_KEY is not set");
  expect(covey.app.gateway.backends.has("featherless")).toBe(true);
});

test("a provider file of one's own is a provider", async () => {
  const home = homeFolder();
  const acme = provider({ id: "acme/model" });
  await Bun.write(
    join(home, "providers", "acme.toml"),
    `name = "Acme"\nbase_url = "${acme.url}"\nkey_env = ["ACME_KEY"]\n`,
  );
  const covey = await start("[providers.acme]\n", home, { ACME_KEY: "sk-a" });
  expect((await (await chat(covey, "acme/model")).json()) as object).toMatchObject({
    model: "acme/model",
  });
});

test("the greeting counts what is listed, and tells of keys that nobody uses", async () => {
  const featherless = provider({ id: "a/one" }, { id: "a/two" });
  const covey = await start(table("featherless", featherless), undefined, {
    ...ENV,
    OPENROUTER_API_KEY: "sk-o",
  });
  const said = greeting(covey.app, "127.0.0.1");
  expect(said).toContain("2 models at featherless");
  expect(said).not.toContain("a/two");
  expect(said).toContain(
    "OPENROUTER_API_KEY is set: [providers.openrouter] in covey.toml, or COVEY_PROVIDERS=openrouter, switches openrouter on",
  );
  expect(said).not.toContain("sk-o");
});
