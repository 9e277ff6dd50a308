import { describe, expect, test } from "bun:test";
import sharp from "sharp";
import { pngOf } from "../../test/images.ts";
import { ImageRefused } from "./bounds.ts";
import { decode } from "./decode.ts";
import { encode } from "./encode.ts";
import { imageFacts } from "./facts.ts";

/** 3 × 2: red green blue over black white yellow. */
const SIX = Uint8Array.from(
  [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [0, 0, 0],
    [255, 255, 255],
    [255, 255, 0],
  ].flat(),
);
const six = () => sharp(SIX, { raw: { width: 3, height: 2, channels: 3 } });
const bytes = async (made: Promise<Buffer>) => new Uint8Array(await made);

async function why(work: Promise<unknown>): Promise<string> {
  const thrown = await work.then(
    () => new Error("it was taken"),
    (error: unknown) => error,
  );
  if (thrown instanceof ImageRefused) return thrown.message;
  throw thrown;
}

test.each(["png", "webp", "gif"] as const)(
  "the pixels of a %s are what was written",
  async (type) => {
    const decoded = await decode(
      await bytes(
        six()
          [type](type === "webp" ? { lossless: true } : {})
          .toBuffer(),
      ),
    );
    expect([decoded.width, decoded.height]).toEqual([3, 2]);
    const rgb = decoded.pixels.filter((_, at) => decoded.channels === 3 || at % 4 < 3);
    expect(Uint8Array.from(rgb)).toEqual(SIX);
  },
);

test("alpha is kept, grey and 16 bits become RGB of 8 bits", async () => {
  const glass = await decode(pngOf(4, 4, { colour: 6 }));
  expect([glass.channels, glass.pixels.length]).toEqual([4, 64]);
  const grey = await decode(pngOf(4, 4, { colour: 0, depth: 16 }));
  expect([grey.channels, grey.pixels.length]).toEqual([3, 48]);
});

describe("an image stands upright: as the library itself turns it", () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])("orientation %i", async (orientation) => {
    const large = six().resize(48, 32, { kernel: "nearest" });
    const tagged = await bytes(
      large.withMetadata({ orientation }).jpeg({ quality: 100 }).toBuffer(),
    );
    expect(imageFacts(tagged)).toMatchObject({ width: 48, height: 32, orientation });
    const upright = await decode(tagged);
    const reference = await sharp(tagged).autoOrient().raw().toBuffer({ resolveWithObject: true });
    expect([upright.width, upright.height]).toEqual([reference.info.width, reference.info.height]);
    expect(Buffer.from(upright.pixels).equals(reference.data)).toBe(true);
  });
});

test("of an animation the first frame is taken", async () => {
  const frames = [SIX, SIX.toReversed()].map((pixels) => Buffer.from(pixels));
  const film = await bytes(
    sharp(Buffer.concat(frames), { raw: { width: 3, height: 4, channels: 3, pageHeight: 2 } })
      .webp({ lossless: true })
      .toBuffer(),
  );
  expect(imageFacts(film)).toMatchObject({ frames: 2, height: 2 });
  const { pixels, height } = await decode(film);
  expect(height).toBe(2);
  expect(Uint8Array.from(pixels.filter((_, at) => pixels.length === 18 || at % 4 < 3))).toEqual(
    SIX,
  );
});

test.each(["png", "jpeg", "webp", "gif"] as const)(
  "a %s that is cut off is refused",
  async (type) => {
    const noise = sharp({
      create: {
        width: 200,
        height: 200,
        channels: 3,
        background: "grey",
        noise: { type: "gaussian", mean: 128, sigma: 60 },
      },
    });
    const whole = await bytes(noise[type]().toBuffer());
    const cut = whole.subarray(0, whole.length >> 1);
    expect(await why(decode(cut))).toBe("the image can't be decoded: it is broken or cut off");
  },
);

test("what no reader of ours is for can't be read, whatever it is called", async () => {
  const svg = Uint8Array.from(Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'/>"));
  expect(await why(decode(svg))).toBe("it is SVG, and no PNG, JPEG, GIF or WebP image");
  const avif = await bytes(six().avif().toBuffer());
  expect(await why(decode(avif))).toBe("it is AVIF, and no PNG, JPEG, GIF or WebP image");
  // The library itself can't read it either, once ours has set it up.
  expect(await sharp(avif).raw().toBuffer().catch(String)).toContain("unsupported");
});

test.each(["image/png", "image/jpeg", "image/webp"] as const)(
  "pixels are written as %s",
  async (type) => {
    const pixels = { width: 3, height: 2, channels: 3, pixels: SIX } as const;
    const file = await encode(pixels, type);
    expect(imageFacts(file)).toEqual({
      type,
      width: 3,
      height: 2,
      frames: 1,
      scans: 1,
      orientation: 1,
    });
  },
);

test("JPEG has no alpha: what is transparent becomes white", async () => {
  const glass = { width: 8, height: 8, channels: 4, pixels: new Uint8Array(256) } as const;
  const { pixels } = await decode(await encode(glass, "image/jpeg"));
  expect(Math.min(...pixels)).toBeGreaterThan(250);
});
