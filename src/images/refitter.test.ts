import { afterEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import sharp from "sharp";
import { pngOf } from "../../test/images.ts";
import { DEFAULT_BOUNDS } from "./bounds.ts";
import { imageFacts } from "./facts.ts";
import { type ImageLimits, NO_LIMITS, refitOf } from "./fit.ts";
import { Refitter, type RefitterOptions } from "./refitter.ts";

const never = new AbortController().signal;
let refitter: Refitter;
afterEach(() => refitter.close());

const started = (options: RefitterOptions = {}): Refitter => {
  refitter = new Refitter(options);
  return refitter;
};

async function fit(
  bytes: Uint8Array<ArrayBuffer>,
  limits: Partial<ImageLimits> = {},
  signal = never,
  keyId = "someone",
): Promise<Uint8Array<ArrayBuffer>> {
  const facts = imageFacts(bytes);
  if (facts === null) throw new Error("no image");
  const refit = refitOf(facts, bytes.length, { ...NO_LIMITS, ...limits });
  return refit === null ? bytes : refitter.refit(bytes, refit, DEFAULT_BOUNDS, { keyId, signal });
}

const made = async (work: Promise<Buffer>) => new Uint8Array(await work);
const photo = (width: number, height: number) =>
  sharp({
    create: {
      ...{ width, height, channels: 3, background: "grey" },
      noise: { type: "gaussian", mean: 128, sigma: 40 },
    },
  });

describe("an image becomes", () => {
  test("as small as it has to be, with its sides in proportion", async () => {
    started();
    const png = await made(photo(800, 300).png().toBuffer());
    expect(imageFacts(await fit(png, { maxSide: 400 }))).toEqual({
      ...{ type: "image/png", width: 400, height: 150, frames: 1, scans: 1, orientation: 1 },
    });
    expect(imageFacts(await fit(png, { maxPixels: 60_000 }))).toMatchObject({
      ...{ width: 400, height: 150 },
    });
  });

  test("a JPEG when it is too heavy otherwise, and then a smaller one", async () => {
    started();
    const png = await made(photo(500, 500).png().toBuffer());
    const light = await fit(png, { maxBytes: 200_000 });
    expect(light.length).toBeLessThanOrEqual(200_000);
    expect(imageFacts(light)).toMatchObject({ type: "image/jpeg", width: 500 });
    const tiny = await fit(png, { maxBytes: 5_000 });
    expect(tiny.length).toBeLessThanOrEqual(5_000);
  });

  test("upright, without metadata, and smaller in one step", async () => {
    started();
    const lying = await made(photo(600, 200).withMetadata({ orientation: 6 }).jpeg().toBuffer());
    expect(imageFacts(await fit(lying))).toMatchObject({ width: 200, height: 600, orientation: 1 });
    expect(imageFacts(await fit(lying, { maxSide: 300 }))).toMatchObject({
      width: 100,
      height: 300,
    });
  });

  test("what it was, where nothing has to change", async () => {
    started();
    const png = pngOf(10, 10);
    expect(await fit(png, { maxSide: 10, maxPixels: 100, maxBytes: png.length })).toBe(png);
    expect(refitter.pid).toBeNull();
  });

  test("a PNG of a WebP that has alpha, a JPEG of one that has none", async () => {
    started();
    const limits = { maxSide: 20 };
    const clear = await made(
      sharp(pngOf(40, 40, { colour: 6 }))
        .webp()
        .toBuffer(),
    );
    const solid = await made(sharp(pngOf(40, 40)).webp().toBuffer());
    expect(imageFacts(await fit(clear, limits))).toMatchObject({ type: "image/png", width: 20 });
    expect(imageFacts(await fit(solid, limits))).toMatchObject({ type: "image/jpeg", width: 20 });
  });
});

describe("the process that decodes", () => {
  test("ends when there is no work, and another one starts when there is", async () => {
    started({ idleMs: 100 });
    await fit(pngOf(20, 20), { maxSide: 10 });
    const first = refitter.pid;
    expect(first).not.toBeNull();
    while (refitter.pid !== null) await Bun.sleep(5);
    await fit(pngOf(20, 20), { maxSide: 10 });
    expect(refitter.pid).not.toBe(first);
  });

  test("is ended when an image takes too long, and the next one gets another", async () => {
    started({ jobMs: 1 });
    const work = fit(pngOf(3000, 3000), { maxSide: 2999 });
    expect(await work.catch(String)).toContain("takes too long to decode");
    expect(refitter.pid).toBeNull();
  });

  test("is ended when it takes more memory than it may", async () => {
    started({ maxMemory: 1_000_000 });
    expect(await fit(pngOf(20, 20), { maxSide: 10 }).catch(String)).toContain(
      "takes too much memory to decode",
    );
  });

  test("is another one after it was killed, and nobody else's image is lost", async () => {
    started();
    const png = pngOf(3000, 3000);
    const struck = fit(png, { maxSide: 2900 });
    const next = fit(pngOf(20, 20), { maxSide: 10 });
    const { pid } = refitter;
    if (pid === null) throw new Error("nothing runs");
    process.kill(pid, "SIGKILL");
    expect(await struck.catch(String)).toContain("can't be decoded");
    expect(imageFacts(await next)).toMatchObject({ width: 10 });
  });

  test("does one image at a time; who leaves is not waited for, and too many are refused", async () => {
    started({ maxWaiting: 1 });
    const stop = new AbortController();
    const running = fit(pngOf(20, 20), { maxSide: 10 });
    const waiting = fit(pngOf(20, 20), { maxSide: 10 }, stop.signal);
    const refused = await fit(pngOf(20, 20), { maxSide: 10 }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ kind: "overloaded", retryAfter: 2 });
    const reason = new Error("left");
    stop.abort(reason);
    expect(await waiting.catch((error: unknown) => error)).toBe(reason);
    expect(imageFacts(await running)).toMatchObject({ width: 10 });
  });

  test("takes keys by turns: who has many images delays another's by one", async () => {
    started();
    const done: string[] = [];
    const small = { maxSide: 10 };
    const of = (keyId: string) =>
      fit(pngOf(20, 20), small, never, keyId).then(() => done.push(keyId));
    await Promise.all([..."aaaaaa", ..."bb", "c"].map(of));
    // The first is at work before the others are there.
    expect(done.join("")).toBe("abcabaaaa");
  });

  test("a full line has room for a key that has less in it than another", async () => {
    started({ maxWaiting: 3 });
    const small = { maxSide: 10 };
    const of = (keyId: string) => fit(pngOf(20, 20), small, never, keyId);
    const running = of("a");
    const [first, second, last] = [of("a"), of("a"), of("a").catch((error: unknown) => error)];
    const other = of("b");
    expect(await last).toMatchObject({ kind: "overloaded", retryAfter: 2 });
    const refused = await of("a").catch((error: unknown) => error);
    expect(refused).toMatchObject({ kind: "overloaded" });
    for (const file of await Promise.all([running, first, second, other]))
      expect(imageFacts(file)).toMatchObject({ width: 10 });
  });

  test("holds so many bytes of waiting images and no more, but one always", async () => {
    started({ maxWaitingBytes: 1 });
    const [running, waiting, refused] = [1, 2, 3].map(() => fit(pngOf(20, 20), { maxSide: 10 }));
    expect(await refused?.catch((error: unknown) => error)).toMatchObject({ kind: "overloaded" });
    expect(imageFacts((await running) ?? pngOf(1, 1))).toMatchObject({ width: 10 });
    expect(imageFacts((await waiting) ?? pngOf(1, 1))).toMatchObject({ width: 10 });
  });

  test.skipIf(process.platform !== "linux")("knows none of this process's variables", async () => {
    process.env.COVEY_TEST_SECRET = "planted";
    started();
    await fit(pngOf(20, 20), { maxSide: 10 });
    const seen = readFileSync(`/proc/${refitter.pid}/environ`, "utf8");
    delete process.env.COVEY_TEST_SECRET;
    expect(seen).toContain("PATH=");
    expect(seen).not.toContain("planted");
  });
});
