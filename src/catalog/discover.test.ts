import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createLog } from "../lib/log.ts";
import type { ProviderSettings } from "../types.ts";
import { Discovery, type DiscoveryOptions } from "./discover.ts";
import { ProviderFile } from "./provider-file.ts";

const KEY = "sk-very-secret-key";
type Answer = (request: Request) => Response | Promise<Response>;

let folder: string;
let server: Bun.Server<undefined>;
let answer: Answer;
let asked: Headers[];
let logged: string[];
let changes: number;
const open: Discovery[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "covey-discover-"));
  asked = [];
  logged = [];
  changes = 0;
  answer = () => list("a/one", "a/two");
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: (request) => {
      asked.push(request.headers);
      return answer(request);
    },
  });
});
afterEach(async () => {
  for (const discovery of open.splice(0)) await discovery.stop();
  await server.stop(true);
  await rm(folder, { recursive: true, force: true });
});

const list = (...ids: string[]) =>
  Response.json({ object: "list", data: ids.map((id) => ({ id, object: "model" })) });

function settings(more: Partial<ProviderSettings> = {}, intervalMs = 3_600_000): ProviderSettings {
  const file = ProviderFile.parse({ name: "Box" });
  return {
    id: "box",
    file: { ...file, discovery: { ...file.discovery, interval: intervalMs } },
    baseUrl: `http://127.0.0.1:${server.port}/v1`,
    keys: [KEY],
    missingKey: null,
    concurrency: null,
    limits: { connect: 1, firstByte: 1, firstToken: 1, gap: 1, answer: 1 },
    ...more,
  };
}

function discover(of: ProviderSettings, options: Partial<DiscoveryOptions> = {}): Discovery {
  const discovery = new Discovery([of], {
    folder,
    log: createLog((line) => logged.push(line), true),
    changed: () => {
      changes++;
    },
    random: () => 0.5,
    ...options,
  });
  open.push(discovery);
  return discovery;
}

const idsOf = (discovery: Discovery) => discovery.models("box").map(({ id }) => id);

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await Bun.sleep(2);
}

test("a list is fetched with the key, and kept", async () => {
  const discovery = discover(settings());
  await discovery.start();
  expect(idsOf(discovery)).toEqual(["a/one", "a/two"]);
  expect(asked[0]?.get("authorization")).toBe(`Bearer ${KEY}`);
  expect(changes).toBe(1);
  await discovery.stop();
  const next = discover(settings());
  await next.restore();
  expect(idsOf(next)).toEqual(["a/one", "a/two"]);
});

test("a copy that another address has given is not used", async () => {
  await discover(settings()).start();
  const elsewhere = discover(settings({ baseUrl: "http://127.0.0.1:1/v1" }));
  await elsewhere.restore();
  expect(idsOf(elsewhere)).toEqual([]);
});

test("a copy that is broken is none", async () => {
  await discover(settings()).start();
  const [name = ""] = await readdir(folder);
  const file = path.join(folder, name);
  await writeFile(file, (await readFile(file, "utf8")).slice(0, -20));
  const next = discover(settings());
  await next.restore();
  expect(idsOf(next)).toEqual([]);
});

test("no key is in the copy or in the log", async () => {
  answer = () => Response.json({ data: [{ id: "m", description: `for ${KEY}` }] });
  await discover(settings()).start();
  answer = () => new Response(`no: ${KEY}`, { status: 500 });
  await discover(settings({ id: "other" })).start();
  const names = await readdir(folder);
  const texts = await Promise.all(names.map((name) => readFile(path.join(folder, name), "utf8")));
  expect(names).toEqual(["box.json"]);
  expect(texts.join() + logged.join()).not.toContain(KEY);
});

const FAILURES: [string, Answer, string][] = [
  ["an error", () => new Response("", { status: 503 }), "it answers 503"],
  ["a refused key", () => new Response("", { status: 401 }), "it refuses the key (401)"],
  [
    "a redirect",
    () => Response.redirect("http://127.0.0.1:1/", 307),
    "redirect, which is never followed",
  ],
  ["a page", () => new Response("<!doctype html>"), "no list of models"],
  ["half a list", () => new Response('{"data":[{"id":"a/one"}'), "no list of models"],
  [
    "a list of nothing that is a model",
    () => Response.json({ data: [{}, null] }),
    "no list of models",
  ],
  ["another kind of object", () => Response.json({ error: "x" }), "no list of models"],
  ["silence", () => new Promise(() => undefined), "no answer within 0.1 s"],
];

for (const [name, failing, reason] of FAILURES) {
  test(`${name} takes nothing away, and is told`, async () => {
    const discovery = discover(settings({}, 20), { retryMs: 5, timeoutMs: 100 });
    await discovery.start();
    answer = failing;
    await until(() => discovery.trouble("box") !== null);
    expect(discovery.trouble("box")).toContain(reason);
    expect(idsOf(discovery)).toEqual(["a/one", "a/two"]);
    expect(changes).toBe(1);
  });
}

test("an empty list that is one takes the models away", async () => {
  const discovery = discover(settings({}, 20));
  await discovery.start();
  answer = () => list();
  await until(() => changes === 2);
  expect(idsOf(discovery)).toEqual([]);
});

test("a failure is logged once, tried again later and later, and its end is logged", async () => {
  answer = () => new Response("", { status: 503 });
  const discovery = discover(settings(), { retryMs: 10 });
  const began = performance.now();
  await discovery.start();
  await until(() => asked.length >= 4);
  // After 10, 20 and 40 ms.
  expect(performance.now() - began).toBeGreaterThan(65);
  answer = () => list("a/one");
  await until(() => discovery.trouble("box") === null);
  await until(() => changes === 1);
  expect(logged.filter((line) => line.includes("could not be fetched"))).toHaveLength(1);
  expect(logged.filter((line) => line.includes("can be fetched again"))).toHaveLength(1);
});

test("garbage is logged once too", async () => {
  answer = () => new Response("<html>");
  discover(settings(), { retryMs: 2 }).start();
  await until(() => asked.length >= 4);
  expect(logged).toHaveLength(1);
});

test("the second key is tried when the first is refused", async () => {
  answer = (request) =>
    request.headers.get("authorization") === "Bearer good"
      ? list("a/one")
      : new Response("", { status: 403 });
  const discovery = discover(settings({ keys: ["bad", "good"] }));
  await discovery.start();
  expect(idsOf(discovery)).toEqual(["a/one"]);
});

test("without its key a provider is not asked", async () => {
  await discover(settings({ keys: [], missingKey: "BOX_KEY" })).start();
  expect(asked).toHaveLength(0);
});

test("a list in which only the times differ is the same one", async () => {
  let now = 1_700_000_000;
  answer = () => Response.json({ data: [{ id: "m", created: now++ }] });
  const discovery = discover(settings({}, 5));
  await discovery.start();
  const [before] = discovery.models("box");
  await until(() => asked.length >= 3);
  expect(changes).toBe(1);
  expect(discovery.models("box")[0]).toBe(before);
});

test("a list without end is not read to its end", async () => {
  answer = () => {
    const chunk = new TextEncoder().encode(`{"id":"${"x".repeat(1_000_000)}"},`);
    return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(chunk) }));
  };
  const discovery = discover(settings());
  await discovery.start();
  expect(discovery.trouble("box")).toBe("its list is larger than 64 MB");
});

test("stopping ends what runs", async () => {
  answer = () => new Promise(() => undefined);
  const discovery = discover(settings());
  const started = discovery.start();
  await until(() => asked.length === 1);
  await discovery.stop();
  await started;
  expect(logged).toEqual([]);
});
