import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { selfSigned } from "../../test/certificate.ts";
import { isHere } from "../../test/needs.ts";
import {
  fetchPublic,
  isForeignPublicAddress,
  PublicFetchError,
  type PublicFetchOptions,
} from "./public-fetch.ts";

/** Stands for a public address in these tests, so that 127.0.0.1 can stand for a private one. */
const OUTSIDE = "127.0.0.2";
const INSIDE = "127.0.0.1";
const MAX_BYTES = 100_000;

let lastHeaders: Record<string, string> = {};
let bombBytes = 0;
const outside = Bun.serve({
  hostname: OUTSIDE,
  port: 0,
  idleTimeout: 0,
  fetch: (request) => {
    lastHeaders = Object.fromEntries(request.headers);
    return pages(new URL(request.url));
  },
});
let insideAsked = 0;
const inside = Bun.serve({
  hostname: INSIDE,
  port: outside.port ?? 0,
  fetch: () => {
    insideAsked += 1;
    return new Response("secret");
  },
});
afterAll(async () => {
  await outside.stop(true);
  await inside.stop(true);
});

function pages({ pathname, searchParams }: URL): Response {
  const to = searchParams.get("to");
  if (to !== null) return new Response(null, { status: 302, headers: { location: to } });
  const encoded = (encoding: string, body: Uint8Array<ArrayBuffer>): Response =>
    new Response(body, { headers: { "content-encoding": encoding } });
  if (pathname === "/gzip") return encoded("gzip", gzipSync("picture"));
  if (pathname === "/deflate") return encoded("deflate", deflateSync("picture"));
  if (pathname === "/br") return encoded("br", brotliCompressSync("picture"));
  if (pathname === "/odd") return encoded("zstd", Buffer.from("picture"));
  if (pathname === "/cut") return encoded("gzip", gzipSync("picture").subarray(0, 20));
  if (pathname === "/bomb") {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    bombBytes = bomb.length;
    return encoded("gzip", bomb);
  }
  if (pathname === "/long") return new Response(new Uint8Array(MAX_BYTES + 1));
  if (pathname === "/endless") {
    return new Response(
      new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1000)) }),
    );
  }
  if (pathname === "/silent") {
    return new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(new Uint8Array(10)),
        pull: () => new Promise(() => undefined),
      }),
    );
  }
  if (pathname === "/drip") {
    return new Response(
      new ReadableStream({
        pull: async (controller) => {
          await Bun.sleep(50);
          controller.enqueue(new Uint8Array(1));
        },
      }),
    );
  }
  if (pathname === "/missing") return new Response("no", { status: 404 });
  return new Response(`picture of ${pathname}`);
}

const port = outside.port;

function get(url: string, more: Partial<PublicFetchOptions> = {}): Promise<string> {
  return fetchPublic(url, {
    maxBytes: MAX_BYTES,
    signal: new AbortController().signal,
    resolve: async () => [OUTSIDE],
    isAllowed: (address) => address === OUTSIDE,
    ...more,
  }).then((bytes) => new TextDecoder().decode(bytes));
}

async function trouble(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof PublicFetchError) return error.reason;
    throw error;
  }
  throw new Error("it was fetched");
}

test("a URL's content is fetched, with nothing of the caller's or ours in the request", async () => {
  expect(await get(`http://images.example:${port}/a?b=c`)).toBe("picture of /a");
  expect(lastHeaders).toEqual({
    host: `images.example:${port}`,
    "user-agent": "covey",
    accept: "*/*",
    "accept-encoding": "identity",
  });
});

test.each(["gzip", "deflate", "br"])("content that comes as %s is unpacked", async (encoding) => {
  expect(await get(`http://images.example:${port}/${encoding}`)).toBe("picture");
});

test.each(["odd", "cut"])("content in an encoding that can't be read: %s", async (path) => {
  expect(await trouble(get(`http://images.example:${port}/${path}`))).toBe("unreachable");
});

test.each([
  "file:///etc/passwd",
  "ftp://images.example/a.png",
  "data:image/png;base64,AAAA",
  "//images.example/a.png",
  "http://user@images.example/a.png",
  "http://:secret@images.example/a.png",
  "http://",
  "images.example/a.png",
])("%s is no URL that is fetched", async (url) => {
  expect(await trouble(get(url))).toBe("bad_url");
});

describe("by default", () => {
  test.each([
    "http://127.0.0.1",
    "http://localhost",
    "http://0",
    "http://0x7f.1",
    "http://017700000001",
    "http://2130706433",
    "http://[::1]",
    "http://[::]",
    "http://[::ffff:127.0.0.1]",
    "http://[::ffff:7f00:1]",
    "http://127.0.0.1.",
  ])("%s is not asked", async (origin) => {
    const before = insideAsked;
    const options = { maxBytes: MAX_BYTES, signal: new AbortController().signal };
    expect(await trouble(fetchPublic(`${origin}:${port}/`, options))).toBe("unreachable");
    expect(insideAsked).toBe(before);
  });

  test("a name with a private address among its public ones is not asked", async () => {
    const resolve = async () => ["1.1.1.1", INSIDE];
    const options = { maxBytes: MAX_BYTES, signal: new AbortController().signal, resolve };
    expect(await trouble(fetchPublic(`http://images.example:${port}/`, options))).toBe(
      "unreachable",
    );
  });
});

describe("this machine's own public address is not to be asked", () => {
  const own = ["127.0.0.1", "203.0.114.9", "2a01:4f8::9", "fe80::1"];
  test.each([
    "203.0.114.9",
    "::ffff:203.0.114.9",
    "::ffff:cb00:7209",
    "64:ff9b::cb00:7209",
    "2a01:4f8::9",
    "2A01:04F8:0::9",
  ])("as %s", (address) => {
    expect(isForeignPublicAddress(address, [])).toBe(true);
    expect(isForeignPublicAddress(address, own)).toBe(false);
  });

  test("its neighbour's is", () => {
    expect(isForeignPublicAddress("203.0.114.10", own)).toBe(true);
    expect(isForeignPublicAddress("::ffff:203.0.114.10", own)).toBe(true);
  });
});

test("a proxy that the environment names gets nothing of it", async () => {
  let asked = 0;
  const proxy = Bun.serve({
    hostname: INSIDE,
    port: 0,
    fetch: () => {
      asked += 1;
      return new Response("from the proxy");
    },
  });
  const script = `
    import { fetchPublic } from ${JSON.stringify(new URL("./public-fetch.ts", import.meta.url).href)};
    const told = await fetchPublic("http://images.example:${port}/a", {
      maxBytes: 1000, signal: new AbortController().signal,
      resolve: async () => ["${OUTSIDE}"], isAllowed: () => true,
    });
    console.log(new TextDecoder().decode(told));`;
  const at = `http://${INSIDE}:${proxy.port}`;
  const child = Bun.spawn([process.execPath, "-e", script], {
    env: { ...process.env, HTTP_PROXY: at, http_proxy: at, HTTPS_PROXY: at, NO_PROXY: "" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  expect((await new Response(child.stdout).text()).trim()).toBe("picture of /a");
  expect(asked).toBe(0);
  await proxy.stop(true);
});

describe("a name that changes its mind", () => {
  const rebinding = () => {
    let asked = 0;
    return async () => (asked++ === 0 ? [OUTSIDE] : [INSIDE]);
  };

  test("the address that was looked at is the one that is asked", async () => {
    const before = insideAsked;
    const resolve = rebinding();
    expect(await get(`http://rebind.example:${port}/a`, { resolve })).toBe("picture of /a");
    expect(await resolve()).toEqual([INSIDE]);
    expect(insideAsked).toBe(before);
  });

  test("a redirect to the same name is looked up anew, and refused", async () => {
    const before = insideAsked;
    const url = `http://rebind.example:${port}/?to=/secret`;
    expect(await trouble(get(url, { resolve: rebinding() }))).toBe("unreachable");
    expect(insideAsked).toBe(before);
  });
});

describe("redirects", () => {
  test("three are followed", async () => {
    const url = `http://images.example:${port}/?to=${encodeURIComponent(
      `/?to=${encodeURIComponent("/?to=/a")}`,
    )}`;
    expect(await get(url)).toBe("picture of /a");
  });

  test("a fourth is not", async () => {
    let asked = 0;
    const loop = Bun.serve({
      hostname: OUTSIDE,
      port: 0,
      fetch: () => {
        asked += 1;
        return new Response(null, { status: 307, headers: { location: "/again" } });
      },
    });
    expect(await trouble(get(`http://images.example:${loop.port}/`))).toBe("unreachable");
    expect(asked).toBe(4);
    await loop.stop(true);
  });

  test.each([`http://${INSIDE}:${port}/`, `//${INSIDE}:${port}/`, `http://[::1]:${port}/`])(
    "one to the private address %s is not followed",
    async (to) => {
      const before = insideAsked;
      const url = `http://images.example:${port}/?to=${encodeURIComponent(to)}`;
      expect(await trouble(get(url))).toBe("unreachable");
      expect(insideAsked).toBe(before);
    },
  );

  test.each(["file:///etc/passwd", "http://user:secret@images.example/"])(
    "one to %s is not followed",
    async (to) => {
      const url = `http://images.example:${port}/?to=${encodeURIComponent(to)}`;
      expect(await trouble(get(url))).toBe("bad_url");
    },
  );
});

describe("bounds", () => {
  test.each(["long", "endless"])("content that is too long is cut off: %s", async (path) => {
    expect(await trouble(get(`http://images.example:${port}/${path}`))).toBe("too_large");
  });

  test("content that unpacks to too much is cut off, though little of it came", async () => {
    expect(await trouble(get(`http://images.example:${port}/bomb`))).toBe("too_large");
    expect(bombBytes).toBeLessThan(MAX_BYTES);
  });

  test("a server that falls silent is given up", async () => {
    expect(await trouble(get(`http://images.example:${port}/silent`, { idleMs: 200 }))).toBe(
      "too_slow",
    );
  });

  test("a server that never stops to send a little is given up", async () => {
    expect(await trouble(get(`http://images.example:${port}/drip`, { totalMs: 300 }))).toBe(
      "too_slow",
    );
  });

  test("a server that takes the connection and says nothing is given up", async () => {
    const mute = createServer().listen(0, OUTSIDE);
    const address = await new Promise<ReturnType<typeof mute.address>>((done) =>
      mute.once("listening", () => done(mute.address())),
    );
    const mutePort = typeof address === "object" ? address?.port : 0;
    expect(await trouble(get(`http://images.example:${mutePort}/`, { idleMs: 200 }))).toBe(
      "too_slow",
    );
    mute.close();
  });

  test("a name that is looked up for ever is given up", async () => {
    const resolve = () => new Promise<string[]>(() => undefined);
    expect(await trouble(get("http://images.example/", { resolve, idleMs: 200 }))).toBe("too_slow");
  });

  test("the signal ends it, with its own reason", async () => {
    const stop = new AbortController();
    const fetched = get(`http://images.example:${port}/silent`, { signal: stop.signal });
    const reason = new Error("the caller left");
    setTimeout(() => stop.abort(reason), 50);
    expect(await fetched.catch((error: unknown) => error)).toBe(reason);
    const late = get(`http://images.example:${port}/a`, { signal: stop.signal });
    expect(await late.catch((error: unknown) => error)).toBe(reason);
  });
});

test("an answer other than 200 is told with its status", async () => {
  const error = await get(`http://images.example:${port}/missing`).catch((e: unknown) => e);
  expect(error).toMatchObject({ reason: "status", status: 404 });
});

test("of several addresses the next one is tried when one does not answer", async () => {
  const fetched = get(`http://images.example:${port}/a`, {
    resolve: async () => ["127.0.0.3", OUTSIDE],
    isAllowed: () => true,
  });
  expect(await fetched).toBe("picture of /a");
});

test("a name without an address, and one that can't be looked up, are unreachable", async () => {
  expect(await trouble(get("http://images.example/", { resolve: async () => [] }))).toBe(
    "unreachable",
  );
  const resolve = () => Promise.reject(new Error("ENOTFOUND"));
  expect(await trouble(get("http://images.example/", { resolve }))).toBe("unreachable");
});

describe.skipIf(!isHere("openssl"))("https", () => {
  let server: ReturnType<typeof Bun.serve>;
  let ca: string;

  beforeAll(async () => {
    const tls = selfSigned("images.example");
    ca = tls.cert;
    server = Bun.serve({
      hostname: OUTSIDE,
      port: 0,
      tls,
      fetch: (request) => new Response(`picture for ${request.headers.get("host")}`),
    });
  });
  afterAll(() => server.stop(true));

  test("a certificate for the URL's own name is taken, though the address is connected to", async () => {
    const host = `images.example:${server.port}`;
    expect(await get(`https://${host}/`, { ca })).toBe(`picture for ${host}`);
  });

  test("a certificate for another name is refused", async () => {
    expect(await trouble(get(`https://other.example:${server.port}/`, { ca }))).toBe("unreachable");
    // Also after a connection under the right name.
    await get(`https://images.example:${server.port}/`, { ca });
    expect(await trouble(get(`https://other.example:${server.port}/`, { ca }))).toBe("unreachable");
  });

  test("a certificate for a name is refused for the bare address", async () => {
    expect(await trouble(get(`https://${OUTSIDE}:${server.port}/`, { ca }))).toBe("unreachable");
  });

  test("a certificate that nobody vouches for is refused", async () => {
    expect(await trouble(get(`https://images.example:${server.port}/`))).toBe("unreachable");
  });
});
