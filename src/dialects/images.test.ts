import { afterAll, afterEach, describe, expect, mock, test } from "bun:test";
import { GatewayError } from "../contract/errors.ts";
import type { Message } from "../contract/messages.ts";
import { ImageSource } from "../images/source.ts";
import { Images, type ImageTarget } from "./images.ts";

/** 37 × 21 pixels. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAACUAAAAVCAMAAAD2OtecAAAAA1BMVEX/AAAZ4gk3AAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAEUlEQVQokWNgGAWjYBQwYAUAAx4AAWFkFzUAAAAASUVORK5CYII=",
  "base64",
);
const PNG_URI = `data:image/png;base64,${PNG.toString("base64")}`;

/** The same header, of an image of so many bytes and pixels. */
function png(bytes: number, width = 37, height = 21): Buffer<ArrayBuffer> {
  const image = Buffer.alloc(Math.max(bytes, PNG.length));
  image.set(PNG);
  image.writeUInt32BE(width, 16);
  image.writeUInt32BE(height, 20);
  return image;
}

const asked: string[] = [];
let running = 0;
let most = 0;
let waiting: (() => void)[] = [];
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 0,
  async fetch(request): Promise<Response> {
    const { pathname } = new URL(request.url);
    asked.push(pathname);
    if (pathname === "/html") return new Response("<!doctype html>");
    if (pathname === "/lies")
      return new Response("<svg/>", { headers: { "content-type": "image/png" } });
    if (pathname === "/wide") return new Response(png(0, 40_001, 1000));
    if (pathname === "/square") return new Response(png(0, 40_000, 1000));
    if (pathname === "/heavy") return new Response(png(20_000_001));
    if (pathname.startsWith("/half")) return new Response(png(19_000_000));
    if (pathname === "/missing") return new Response("", { status: 404 });
    if (pathname === "/inside") {
      return Response.redirect(`http://localhost:${server.port}/secret`);
    }
    if (pathname.startsWith("/held")) {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((go) => {
        waiting.push(go);
        if (waiting.length === 4) for (const each of waiting.splice(0)) each();
      });
      running -= 1;
    }
    if (pathname === "/silent") await new Promise(() => undefined);
    return new Response(PNG, { headers: { "content-type": "text/plain" } });
  },
});
afterAll(() => server.stop(true));
afterEach(() => {
  asked.length = 0;
  waiting = [];
  most = 0;
});

const at = (path: string): string => `http://127.0.0.1:${server.port}${path}`;
const allowing = (...allowHosts: string[]): Images =>
  new Images({ source: new ImageSource({ allowHosts }) });
const images = (): Images => allowing(`127.0.0.1:${server.port}`);
const never = new AbortController().signal;
const asker = { keyId: "someone", signal: never };
const BASE64: ImageTarget = { id: "arli", baseUrl: "https://1.1.1.1/v1", input: "base64" };
const HOSTED: ImageTarget = { id: "hosted", baseUrl: "https://1.1.1.1/v1", input: "url" };
const OWN: ImageTarget = { id: "own", baseUrl: "http://10.0.0.7:8000/v1", input: "url" };
const BLIND: ImageTarget = { id: "blind", baseUrl: "https://1.1.1.1/v1", input: "none" };

const image = (url: string) => ({ type: "image_url", image_url: { url, detail: "low" } }) as const;
const ask = (...urls: string[]): Message[] => [
  { role: "system", content: "See." },
  { role: "user", content: [{ type: "text", text: "What is it?" }, ...urls.map(image)] },
];

function urlsIn(messages: readonly Message[]): string[] {
  return messages.flatMap(({ content }) =>
    Array.isArray(content)
      ? content.flatMap((part) => (part.type === "image_url" ? [part.image_url.url] : []))
      : [],
  );
}

async function refusal(work: Promise<unknown>): Promise<GatewayError> {
  const error = await work.then(
    () => new Error("it was taken"),
    (thrown: unknown) => thrown,
  );
  if (error instanceof GatewayError) return error;
  throw error;
}

describe("a URL", () => {
  test.each([BASE64, OWN])("becomes a data URI for '$id'", async (target) => {
    const messages = ask(at("/cat"));
    const before = structuredClone(messages);
    const prepared = await images().prepare(messages, target, asker);
    expect(prepared).toEqual(ask(PNG_URI));
    expect(messages).toEqual(before);
  });

  test("stays what it is for a hosted provider that takes URLs", async () => {
    const messages = ask(at("/cat"), "data:nonsense");
    expect(await images().prepare(messages, HOSTED, asker)).toBe(messages);
    expect(asked).toEqual([]);
  });

  test("is fetched once, for all its places and all attempts of the call", async () => {
    const messages = [...ask(at("/cat"), at("/dog")), ...ask(at("/cat"))];
    const all = images();
    await all.prepare(messages, BASE64, asker);
    const begun: Message[] = [...messages, { role: "assistant", content: "It is" }];
    const again = await all.prepare(begun, OWN, asker);
    expect(urlsIn(again)).toEqual([PNG_URI, PNG_URI, PNG_URI]);
    expect(again.at(-1)).toEqual({ role: "assistant", content: "It is" });
    expect(asked.toSorted()).toEqual(["/cat", "/dog"]);
  });

  test("is fetched again for another call", async () => {
    const all = images();
    await all.prepare(ask(at("/cat")), BASE64, asker);
    await all.prepare(ask(at("/cat")), BASE64, asker);
    expect(asked).toEqual(["/cat", "/cat"]);
  });
});

describe("of many URLs", () => {
  test("four are fetched at a time, each in its place afterwards", async () => {
    const urls = Array.from({ length: 16 }, (_, i) => at(`/held-${i}`));
    const prepared = await images().prepare(ask(...urls), BASE64, asker);
    expect(urlsIn(prepared)).toEqual(urls.map(() => PNG_URI));
    expect(most).toBe(4);
  });

  test("a seventeenth is refused before any is fetched", async () => {
    const urls = Array.from({ length: 17 }, (_, i) => at(`/${i}`));
    const error = await refusal(images().prepare(ask(...urls), BASE64, asker));
    expect(error.param).toBe("messages[1].content[17].image_url.url");
    expect(asked).toEqual([]);
  });

  test("the first that fails ends the others", async () => {
    const work = images().prepare(ask(at("/silent"), at("/missing")), BASE64, asker);
    expect((await refusal(work)).param).toBe("messages[1].content[2].image_url.url");
  });

  test("more than 40 MB together are refused", async () => {
    const work = images().prepare(ask(at("/half-1"), at("/half-2"), at("/half-3")), BASE64, asker);
    expect((await refusal(work)).message).toContain("larger than 40 MB together");
  });
});

describe("refused with 400 and the image's param is", () => {
  test.each([
    [at("/html"), "it is a web page, and no PNG, JPEG, GIF or WebP image"],
    [at("/lies"), "it is SVG, and no PNG, JPEG, GIF or WebP image"],
    [at("/wide"), "the image has 40001 × 1000 pixels, and at most 40 million pixels are taken"],
    [at("/heavy"), "the image is larger than 20 MB"],
    [at("/missing"), "the image's server answered 404 instead of 200"],
    ["ftp://example.com/a.png", "expected a data URI, or an http(s) URL without user and password"],
    ["http://a:b@1.1.1.1/", "expected a data URI, or an http(s) URL without user and password"],
    ["cat.png", "expected a data URI, or an http(s) URL without user and password"],
    ["data:image/png;base64,AAA*", "expected a data URI with valid base64"],
    ["data:image/png,plain", "expected a data URI with valid base64"],
    ["data:image/png;base64,AAAA", "it is no PNG, JPEG, GIF or WebP image"],
  ])("%s", async (url, why) => {
    const error = await refusal(images().prepare(ask(PNG_URI, url), BASE64, asker));
    const param = "messages[1].content[2].image_url.url";
    expect(error).toMatchObject({ status: 400, param, fault: "request" });
    expect(error.message).toBe(`Invalid value for '${param}': ${why}.`);
  });

  test("a data URI of too many pixels or bytes", async () => {
    for (const bytes of [png(0, 40_001, 1000), png(20_000_001)]) {
      const uri = `data:image/png;base64,${bytes.toString("base64")}`;
      expect((await refusal(images().prepare(ask(uri), OWN, asker))).status).toBe(400);
    }
  });
});

test("40 million pixels are just taken", async () => {
  expect(urlsIn(await images().prepare(ask(at("/square")), BASE64, asker))[0]).toStartWith("data:");
});

test("an address that is refused and one where nothing is are told in the same words", async () => {
  const closed = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const free = `127.0.0.1:${closed.port}`;
  await closed.stop(true);
  const urls = [
    at("/inside"),
    `http://localhost:${server.port}/secret`,
    "http://169.254.169.254/latest/meta-data/",
    "http://no-such-host.invalid/",
    `http://${free}/`,
  ];
  const all = allowing(`127.0.0.1:${server.port}`, free);
  const told = urls.map(
    async (url) => (await refusal(all.prepare(ask(url), BASE64, asker))).message,
  );
  expect(new Set(await Promise.all(told)).size).toBe(1);
  expect(asked).toEqual(["/inside"]);
});

describe("a data URI", () => {
  test("is left as it is where it is fine", async () => {
    expect(await images().prepare(ask(PNG_URI), BASE64, asker)).toEqual(ask(PNG_URI));
  });

  test.each([
    `data:image/jpg;base64,${PNG.toString("base64")}`,
    `data:image/png;charset=utf-8;base64,${PNG.toString("base64")}`,
    `DATA:;base64,${PNG.toString("base64").replace(/.{20}/g, "$&\n")}`,
  ])("says afterwards what it is: %p", async (uri) => {
    expect(urlsIn(await images().prepare(ask(uri), BASE64, asker))).toEqual([PNG_URI]);
  });
});

test("a provider that takes no images is told so in a way that lets another one try", async () => {
  const error = await refusal(images().prepare(ask(PNG_URI), BLIND, asker));
  const param = "messages[1].content[1].image_url.url";
  expect(error).toMatchObject({ status: 400, fault: "unsupported", param });
  const words = ask();
  expect(await images().prepare(words, BLIND, asker)).toBe(words);
});

describe("a hosted provider with limits", () => {
  const limits = { maxSide: 20, maxPixels: null, maxBytes: null };
  const target: ImageTarget = { ...HOSTED, limits };

  test("gets data URIs made smaller, and URLs as they are", async () => {
    const smaller = Buffer.from(PNG);
    const refit = mock(async () => new Uint8Array(smaller));
    const all = new Images({ refitter: { refit } });
    const prepared = await all.prepare(ask(at("/cat"), PNG_URI), target, asker);
    expect(urlsIn(prepared)).toEqual([at("/cat"), PNG_URI]);
    expect(refit.mock.calls.length).toBe(1);
    expect(asked).toEqual([]);
  });

  test("an attempt at another one without limits starts from what was given", async () => {
    const smaller = png(0, 20, 11);
    const refit = mock(async () => new Uint8Array(smaller));
    const all = new Images({ refitter: { refit } });
    const messages = ask(PNG_URI);
    const uri = `data:image/png;base64,${smaller.toString("base64")}`;
    expect(urlsIn(await all.prepare(messages, target, asker))).toEqual([uri]);
    expect(urlsIn(await all.prepare(messages, BASE64, asker))).toEqual([PNG_URI]);
    expect(urlsIn(await all.prepare(messages, target, asker))).toEqual([uri]);
  });

  test("refuses a data URI that is no image", async () => {
    const error = await refusal(images().prepare(ask("data:nonsense"), target, asker));
    expect(error.message).toContain("expected a data URI with valid base64");
  });
});

test("the other parts of a message are left alone", async () => {
  const others = {
    role: "user",
    content: [
      { type: "video_url", video_url: { url: "data:video/mp4;base64,AAAA" } },
      { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } },
      { type: "file", file: { file_data: "data:application/pdf;base64,AAAA" } },
      image(at("/cat")),
    ],
  } satisfies Message;
  const [prepared] = await images().prepare([others], OWN, asker);
  expect(prepared?.content?.slice(0, 3)).toEqual(others.content.slice(0, 3));
});

test("the signal ends the fetching, and another attempt fetches anew", async () => {
  const all = images();
  const messages = ask(at("/held-1"));
  const stop = new AbortController();
  const reason = new Error("given up");
  const first = all.prepare(messages, BASE64, { ...asker, signal: stop.signal });
  while (waiting.length === 0) await Bun.sleep(1);
  stop.abort(reason);
  expect(await first.catch((error: unknown) => error)).toBe(reason);
  const second = all.prepare(messages, BASE64, asker);
  while (waiting.length === 1) await Bun.sleep(1);
  for (const go of waiting) go();
  expect(urlsIn(await second)).toEqual([PNG_URI]);
});

test.each([
  [{ type: "video_url", video_url: { url: "http://169.254.169.254/" } }, "video_url.url"],
  [{ type: "file", file: { file_data: "http://10.0.0.1/a.pdf" } }, "file.file_data"],
] as const)("a URL of another medium goes to a hosted provider only: %j", async (part, field) => {
  const messages: Message[] = [{ role: "user", content: [part] }];
  expect(await images().prepare(messages, HOSTED, asker)).toBe(messages);
  expect(await images().prepare(messages, BASE64, asker)).toEqual(messages);
  const error = await refusal(images().prepare(messages, OWN, asker));
  expect([error.param, error.fault]).toEqual([`messages[0].content[0].${field}`, "unsupported"]);
});

test("a URL of another medium on an allowed host, or its data, goes to every provider", async () => {
  const part = (url: string) => ({ type: "video_url", video_url: { url } }) as const;
  const messages: Message[] = [
    { role: "user", content: [part(at("/film")), part("data:video/mp4;base64,AAAA")] },
  ];
  expect(await images().prepare(messages, OWN, asker)).toEqual(messages);
});
