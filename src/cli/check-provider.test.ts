import { afterAll, beforeAll, expect, test } from "bun:test";
import { loadProviderFiles, SHIPPED_PROVIDERS } from "../catalog/providers.ts";
import { settleProviders } from "../catalog/settle-providers.ts";
import { parseConfigFile } from "../config/load.ts";
import { tryProvider } from "./check-provider.ts";

/** Each path is a server of its own kind. */
const KEY = "sk-very-secret-key";
const seen: { path: string; authorization: string | null }[] = [];
let server: Bun.Server<undefined>;

beforeAll(() => {
  const list = { object: "list", data: [{ id: "one" }, { id: "two" }] };
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch(request) {
      const { pathname } = new URL(request.url);
      seen.push({ path: pathname, authorization: request.headers.get("authorization") });
      if (pathname === "/v1/models") return Response.json(list);
      if (pathname === "/api/tags") return Response.json({ models: [{ name: "llama3.2:3b" }] });
      if (pathname === "/sdapi/v1/upscalers")
        return Response.json([{ name: "None" }, { name: "R-ESRGAN 4x+", scale: 4 }]);
      if (pathname === "/picky/models")
        return seen.at(-1)?.authorization === `Bearer ${KEY}`
          ? Response.json(list)
          : new Response("no", { status: 401 });
      if (pathname === "/locked/models") return new Response(`no: ${KEY}`, { status: 401 });
      if (pathname === "/moved/models") return Response.redirect("/v1/models", 307);
      if (pathname === "/page/models") return new Response("<!doctype html>");
      if (pathname === "/ill/models") return new Response("", { status: 503 });
      if (pathname === "/silent/models") return new Promise<Response>(() => undefined);
      return new Response("", { status: 404 });
    },
  });
});
afterAll(() => server.stop(true));

const FILES = loadProviderFiles([SHIPPED_PROVIDERS]);

function settled(baseUrl: string, key: string | null, models: string[], type = "vllm") {
  const config = parseConfigFile(
    [
      `[providers.box]`,
      `type = "${type}"`,
      `base_url = "${baseUrl}"`,
      key === null ? "" : `api_key_env = "BOX_KEY"`,
      `models = [${models.map((id) => `{ id = "${id}" }`).join(", ")}]`,
    ].join("\n"),
    "test",
  );
  const [provider] = settleProviders(config.providers, FILES, () => key);
  if (provider === undefined) throw new Error("there is one");
  return provider;
}

function ask(
  path: string,
  options: { key?: string; models?: string[]; patienceMs?: number; type?: string } = {},
) {
  const { key = null, models = ["one"], patienceMs = 3_000, type } = options;
  const url = `http://127.0.0.1:${server.port}${path}`;
  return tryProvider(settled(url, key, models, type), patienceMs).then(
    ({ text }) => text,
    (error: Error) => error.message,
  );
}

test("a provider that answers is reachable, and is asked with its key", async () => {
  const url = `http://127.0.0.1:${server.port}/v1`;
  expect(await ask("/v1", { key: KEY })).toBe(`${url} is reachable (1 key from BOX_KEY, 2 models)`);
  expect(seen.at(-1)).toEqual({ path: "/v1/models", authorization: `Bearer ${KEY}` });
  expect(await ask("/v1")).toBe(`${url} is reachable (2 models)`);
  expect(seen.at(-1)?.authorization).toBeNull();
});

test("several keys are all tried, and a refused one is told by its place", async () => {
  expect(await ask("/v1", { key: `${KEY}, another-key` })).toContain("2 keys from BOX_KEY");
  expect(seen.slice(-2).map(({ authorization }) => authorization)).toEqual([
    `Bearer ${KEY}`,
    "Bearer another-key",
  ]);
  const url = `http://127.0.0.1:${server.port}/picky`;
  expect(await ask("/picky", { key: `${KEY}, another-key` })).toBe(
    `${url}: 2 keys from BOX_KEY: the 2nd is refused (401)`,
  );
  expect(await ask("/picky", { key: `bad-one, ${KEY}, another-key` })).toEndWith(
    "3 keys from BOX_KEY: the 1st (401), the 3rd (401) are refused",
  );
  expect(await ask("/picky", { key: "bad-one, another-key" })).toEndWith(
    "refuses all 2 keys in BOX_KEY (401): set valid ones",
  );
});

test("a web UI is asked for its upscalers, with its key as it wants it", async () => {
  const options = { type: "sd-webui", models: ["R-ESRGAN 4x+"], key: "user:secret" };
  expect(await ask("", options)).toContain("2 models");
  const authorization = `Basic ${btoa("user:secret")}`;
  expect(seen.at(-1)).toEqual({ path: "/sdapi/v1/upscalers", authorization });
});

test("Ollama is asked by its own API", async () => {
  expect(await ask("", { type: "ollama" })).toContain("1 model; it does not list one");
  expect(seen.at(-1)?.path).toBe("/api/tags");
});

test("a configured model that it does not list is told", async () => {
  expect(await ask("/v1", { models: ["one", "three"] })).toEndWith(
    "is reachable (2 models; it does not list three)",
  );
});

test.each([
  ["/locked", "refuses the key in BOX_KEY (401): set it to a valid one"],
  ["/moved", "answers with a redirect, which is never followed"],
  ["/page", "does not answer /models as vLLM does"],
  ["/ill", "answers 503"],
  ["", "has no /models (404): put its base_url right"],
])("%p is told with what to do, never with the key", async (path, message) => {
  const asked = seen.length;
  const said = await ask(path, { key: KEY });
  expect(said).toContain(message);
  expect(said).not.toContain(KEY);
  expect(seen.length).toBe(asked + 1);
});

test("one that wants a key and has none configured", async () => {
  expect(await ask("/locked")).toContain("wants a key (401): name the variable that holds it");
});

test("one that does not answer is given up", async () => {
  expect(await ask("/silent", { patienceMs: 50 })).toContain("no answer within 0.05 s");
});

test("one where nothing listens", async () => {
  const gone = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("") });
  const host = `127.0.0.1:${gone.port}`;
  const baseUrl = `http://user:pass@${host}/v1`;
  await gone.stop(true);
  const said = await tryProvider(settled(baseUrl, KEY, ["one"])).then(
    ({ text }) => text,
    (error: Error) => error.message,
  );
  expect(said).toBe(
    `http://${host}/v1 cannot be reached: nothing listens there; start that server, or put its base_url right`,
  );
});

test("a key that no header can carry is not shown", async () => {
  expect(await ask("/v1", { key: `${KEY}\u0000` })).not.toContain(KEY);
});
