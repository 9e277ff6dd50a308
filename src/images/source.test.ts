import { afterAll, describe, expect, test } from "bun:test";
import { pngOf } from "../../test/images.ts";
import { DEFAULT_BOUNDS } from "./bounds.ts";
import { ImageSource } from "./source.ts";

/** How many bytes images may have together. What single ones may be is tested by `bombs` and `hostile-urls`. */

const never = new AbortController().signal;
/** A PNG of so many bytes: what follows its end is nothing. */
const file = (bytes: number) => Buffer.concat([pngOf(4, 4), Buffer.alloc(bytes)], bytes);
const inline = (bytes: number) => `data:image/png;base64,${file(bytes).toString("base64")}`;
const asked: string[] = [];
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request) => {
    const { pathname } = new URL(request.url);
    asked.push(pathname);
    return new Response(file(Number(pathname.split("/")[1])));
  },
});
afterAll(() => server.stop(true));

const remote = (bytes: number, name = "a") => `http://127.0.0.1:${server.port}/${bytes}/${name}`;
const sourceWith = (maxRequestBytes: number, maxHeldBytes: number) =>
  new ImageSource({ allowHosts: ["127.0.0.1"] }, DEFAULT_BOUNDS, { maxRequestBytes, maxHeldBytes });
const named = (...urls: string[]) => urls.map((url, at) => ({ url, param: `images[${at}]` }));
const failure = (work: Promise<unknown>) => work.catch((error: unknown) => error);

describe("the files of one request are bounded together", () => {
  test("those that are sent along, before anything is decoded or fetched: told of the one that is too many", async () => {
    const source = sourceWith(2_000, 9_000);
    // Not even base64: it is not looked at.
    const bad = `data:image/png;base64,${"*".repeat(2_000)}`;
    const work = source.hold(named(remote(400), inline(900), bad), never);
    expect(await failure(work)).toMatchObject({
      ...{ status: 400, param: "images[2]", fault: "request" },
      message:
        "Invalid value for 'images[2]': the images of the request are larger than 0.002 MB together.",
    });
    expect(asked).toEqual([]);
    expect(source.heldBytes).toBe(0);
  });

  test("those that are fetched count with them, while they come", async () => {
    const source = sourceWith(2_000, 9_000);
    const work = source.hold(named(inline(1_500), remote(1_000)), never);
    expect(await failure(work)).toMatchObject({ status: 400, param: "images[1]" });
    expect(source.heldBytes).toBe(0);
  });

  test("a URL that is named twice is fetched, and counts, once", async () => {
    const source = sourceWith(2_000, 9_000);
    const { images, letGo } = await source.hold(named(remote(1_500), remote(1_500)), never);
    expect(images).toHaveLength(2);
    expect(source.heldBytes).toBe(1_500);
    letGo();
  });
});

describe("the files of all requests are bounded together", () => {
  test("from when they come until they are let go; one that finds no room gets 503", async () => {
    const source = sourceWith(2_000, 3_000);
    const first = await source.hold(named(inline(1_200), remote(600)), never);
    expect(source.heldBytes).toBeWithin(1_800, 1_805);
    for (const url of [inline(1_500), remote(1_500)])
      expect(await failure(source.hold(named(url), never))).toMatchObject({
        ...{ kind: "overloaded", retryAfter: 5 },
      });
    const second = await source.hold(named(remote(1_000)), never);
    first.letGo();
    first.letGo();
    expect(source.heldBytes).toBe(1_000);
    second.letGo();
    expect(source.heldBytes).toBe(0);
  });

  test("of who is done with them at once nothing stays", async () => {
    const source = sourceWith(2_000, 2_000);
    for (let time = 0; time < 3; time++)
      expect(await source.readAll(named(inline(900), remote(900)), never)).toHaveLength(2);
    expect(source.heldBytes).toBe(0);
  });
});
