import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { imageFacts } from "../../src/images/facts.ts";
import { startCovey, type TestCovey } from "../covey.ts";
import { type FakeUpstream, fakeUpstream } from "../fake-upstream.ts";
import { callIdOf, endedRow, FAKE_KEY, post, readStream, until } from "./wire.ts";

/** Image URLs in messages, on their way to providers that must not fetch them. */

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAACUAAAAVCAMAAAD2OtecAAAAA1BMVEX/AAAZ4gk3AAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAEUlEQVQokWNgGAWjYBQwYAUAAx4AAWFkFzUAAAAASUVORK5CYII=",
  "base64",
);
const INLINED = `data:image/png;base64,${PNG.toString("base64")}`;
const PARAM = "messages[0].content[1].image_url.url";

const asked: string[] = [];
let left = 0;
const store = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 0,
  async fetch(request): Promise<Response> {
    const { pathname } = new URL(request.url);
    asked.push(pathname);
    switch (pathname) {
      case "/html":
        return new Response("<!doctype html>", { headers: { "content-type": "image/png" } });
      case "/bomb":
        return new Response(gzipSync(Buffer.alloc(60_000_000)), {
          headers: { "content-encoding": "gzip", "content-type": "image/png" },
        });
      case "/missing":
        return new Response("", { status: 404 });
      case "/inside":
        return Response.redirect(`http://localhost:${inside.port}/`);
      case "/silent":
        await new Promise<void>((gone) => {
          request.signal.addEventListener("abort", () => {
            left += 1;
            gone();
          });
        });
    }
    return new Response(PNG);
  },
});
/** What must not be reached: nobody allowed it. */
let reached = 0;
const inside = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: () => {
    reached += 1;
    return new Response(PNG);
  },
});
afterAll(async () => {
  await store.stop(true);
  await inside.stop(true);
});

let folder: string;
let upstream: FakeUpstream;
let covey: TestCovey;
beforeEach(() => {
  asked.length = 0;
  folder = mkdtempSync(join(tmpdir(), "covey-images-"));
  upstream = fakeUpstream();
});
afterEach(async () => {
  await covey.close();
  await upstream.close();
  rmSync(folder, { recursive: true });
});

async function start(providers: string): Promise<void> {
  const toml = `
[engine]
preload = false
[images]
allow_hosts = ["127.0.0.1:${store.port}"]
${providers}`;
  covey = await startCovey({ toml, home: join(folder, "home"), env: { FAKE_KEY } });
}

/** A provider on the fake upstream: on a private address, like every server in a test. */
function provider(id: string, models: readonly string[], more = ""): string {
  const list = models.map((model) => `{ id = "${model}" }`).join(", ");
  return `[providers.${id}]\nbase_url = "${upstream.url}"\nmodels = [${list}]\n${more}\n`;
}

const at = (path: string): string => `http://127.0.0.1:${store.port}${path}`;

function question(url: string): readonly object[] {
  const content = [
    { type: "text", text: "What is it?" },
    { type: "image_url", image_url: { url, detail: "low" } },
  ];
  return [{ role: "user", content }];
}

function look(
  url: string,
  model: string,
  fields: object = {},
  signal?: AbortSignal,
): Promise<Response> {
  const body = { model, messages: question(url), ...fields };
  return post(`${covey.url}/v1/chat/completions`, body, signal === undefined ? {} : { signal });
}

function sentParts(request = upstream.requests.at(-1)): unknown {
  const { messages } = request?.body ?? {};
  return Array.isArray(messages) ? messages[0]?.content : undefined;
}

const WHOLE = [
  { type: "text", text: "What is it?" },
  { type: "image_url", image_url: { url: INLINED, detail: "low" } },
];

describe("an image URL reaches as a data URI", () => {
  test("a provider on a private address, streaming and not", async () => {
    await start(provider("own", ["story-5"]));
    expect((await look(at("/cat"), "story-5")).status).toBe(200);
    expect(sentParts()).toEqual(WHOLE);
    await readStream(await look(at("/cat"), "story-5", { stream: true }));
    expect(sentParts()).toEqual(WHOLE);
    expect(asked).toEqual(["/cat", "/cat"]);
  });

  test("a provider that takes base64 only", async () => {
    await start(provider("arli", ["story-5"], 'type = "arli"\napi_key_env = "FAKE_KEY"'));
    expect((await look(at("/cat"), "story-5")).status).toBe(200);
    expect(sentParts()).toEqual(WHOLE);
  });

  test("a provider that tokenizes the conversation, and would fetch it for that", async () => {
    await start(provider("own", ["story-5"], 'type = "vllm"'));
    await post(`${covey.url}/v1/tokenize`, { model: "story-5", messages: question(at("/cat")) });
    expect(upstream.requests.map(({ path }) => path)).toContain("/tokenize");
    for (const request of upstream.requests) expect(sentParts(request)).toEqual(WHOLE);
  });

  test("every target of a call, fetched once", async () => {
    const second = provider("second", ["echo"]).replace("[{ id", '[{ upstream_id = "echo", id');
    const first = provider("first", ["echo"], "priority = -1").replace(
      "[{ id",
      '[{ upstream_id = "once-500-echo", id',
    );
    await start(first + second);
    expect((await look(at("/cat"), "echo")).status).toBe(200);
    expect(upstream.requests.length).toBeGreaterThan(1);
    for (const request of upstream.requests) expect(sentParts(request)).toEqual(WHOLE);
    expect(asked).toEqual(["/cat"]);
  });
});

describe("400 that names the image is the answer to", () => {
  test.each([
    [at("/html"), "it is a web page, and no PNG, JPEG, GIF or WebP image"],
    [at("/bomb"), "the image is larger than 20 MB"],
    [at("/missing"), "the image's server answered 404 instead of 200"],
    [at("/inside"), "the image could not be fetched; its address must be public"],
    [
      `http://localhost:${inside.port}/`,
      "the image could not be fetched; its address must be public",
    ],
    [
      `http://127.0.0.1:${inside.port}/`,
      "the image could not be fetched; its address must be public",
    ],
    ["http://169.254.169.254/", "the image could not be fetched; its address must be public"],
    ["file:///etc/passwd", "expected a data URI, or an http(s) URL without user and password"],
    ["data:image/png;base64,AAAA", "it is no PNG, JPEG, GIF or WebP image"],
  ])("%s", async (url, why) => {
    await start(provider("own", ["story-5"]));
    for (const fields of [{}, { stream: true }]) {
      const answer = await look(url, "story-5", fields);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toEqual({
        error: {
          message: `Invalid value for '${PARAM}': ${why}.`,
          type: "invalid_request_error",
          param: PARAM,
          code: null,
        },
      });
      expect(await endedRow(covey, callIdOf(answer))).toMatchObject({ status: "failed" });
    }
    expect(upstream.requests).toEqual([]);
    expect(reached).toBe(0);
  });
});

describe("a provider that takes no images", () => {
  const blind = (): void => {
    mkdirSync(join(folder, "home", "providers"), { recursive: true });
    const file = join(folder, "home", "providers", "blind.toml");
    writeFileSync(file, 'name = "Blind"\nkey_optional = true\n[images]\ninput = "none"\n');
  };

  test("is passed over for one that does", async () => {
    blind();
    const first = provider("first", ["story-5"], 'type = "blind"\npriority = -1');
    await start(first + provider("second", ["story-5"]));
    const answer = await look(at("/cat"), "story-5");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-covey-provider")).toBe("second");
  });

  test("is told to the caller where there is no other", async () => {
    blind();
    await start(provider("only", ["story-5"], 'type = "blind"'));
    const answer = await look(at("/cat"), "story-5");
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { param: PARAM } });
    expect(asked).toEqual([]);
  });
});

/** A photograph as a telephone takes it: lying on its side, with the place where it was taken. */
async function photo(): Promise<Buffer> {
  const create = { width: 600, height: 400, channels: 3, background: "teal" } as const;
  const exif = { IFD0: { Artist: "somebody" }, IFD3: { GPSLatitudeRef: "N" } };
  return sharp({ create }).withExif(exif).withMetadata({ orientation: 6 }).jpeg().toBuffer();
}

function sentImage(): { facts: ReturnType<typeof imageFacts>; bytes: Buffer } {
  const sent = JSON.stringify(sentParts());
  const bytes = Buffer.from(/base64,([^"]+)"/.exec(sent)?.[1] ?? "", "base64");
  return { facts: imageFacts(bytes), bytes };
}

test("a photograph arrives upright and without metadata", async () => {
  const bytes = await photo();
  expect(imageFacts(bytes)).toMatchObject({ width: 600, height: 400, orientation: 6 });
  expect(bytes.includes("somebody")).toBe(true);
  await start(provider("own", ["story-5"]));
  const url = `data:image/jpeg;base64,${bytes.toString("base64")}`;
  expect((await look(url, "story-5")).status).toBe(200);
  const { facts, bytes: sent } = sentImage();
  expect(facts).toMatchObject({ type: "image/jpeg", width: 400, height: 600, orientation: 1 });
  expect(sent.includes("somebody")).toBe(false);
});

test("an image is made as small as its provider's file says, and one that is broken refused", async () => {
  mkdirSync(join(folder, "home", "providers"), { recursive: true });
  const file = join(folder, "home", "providers", "small.toml");
  const rules = '[images]\ninput = "base64"\nmax_side = 300\nmax_bytes = "20kB"\n';
  writeFileSync(file, `name = "Small"\nkey_optional = true\n${rules}`);
  await start(provider("only", ["story-5"], 'type = "small"'));
  const bytes = await photo();
  const url = `data:image/jpeg;base64,${bytes.toString("base64")}`;
  expect((await look(url, "story-5")).status).toBe(200);
  expect(sentImage().facts).toMatchObject({ width: 200, height: 300, orientation: 1 });
  expect(sentImage().bytes.length).toBeLessThanOrEqual(20_000);
  const cut = bytes.subarray(0, bytes.length - 400).toString("base64");
  const answer = await look(`data:image/jpeg;base64,${cut}`, "story-5");
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({
    error: {
      message: `Invalid value for '${PARAM}': the image can't be decoded: it is broken or cut off.`,
      param: PARAM,
    },
  });
});

test("an embedded model that takes text only says what takes images", async () => {
  await start("");
  for (const model of ["tinyllama", "google/gemma-3-27b-it"]) {
    const answer = await look(at("/cat"), model);
    expect(answer.status).toBe(model === "tinyllama" ? 400 : 404);
    const { error } = JSON.parse(await answer.text());
    expect(error.param).toBe(model === "tinyllama" ? PARAM : "model");
    expect(error.message).toContain("No model here takes images: configure a provider");
    expect(error).toMatchObject({ type: "invalid_request_error" });
  }
  expect(asked).toEqual([]);
});

test("a caller that leaves ends the fetching of the image", async () => {
  await start(provider("own", ["story-5"]));
  const stop = new AbortController();
  const answer = look(at("/silent"), "story-5", {}, stop.signal).catch(() => null);
  await until(() => asked[0] ?? null, "the image was asked for");
  stop.abort();
  await answer;
  await until(() => (left === 1 ? true : null), "the fetch was ended");
  expect(upstream.requests).toEqual([]);
  expect((await fetch(`${covey.url}/health`)).status).toBe(200);
});
