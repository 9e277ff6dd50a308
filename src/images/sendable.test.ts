import { expect, test } from "bun:test";
import { pngChunk, pngOf } from "../../test/images.ts";
import { GatewayError } from "../contract/errors.ts";
import { checkedFacts, DEFAULT_BOUNDS, ImageRefused } from "./bounds.ts";
import { imageFacts } from "./facts.ts";
import { type ImageLimits, NO_LIMITS, type Refit, refitOf } from "./fit.ts";
import { sendable } from "./sendable.ts";
import { ImageSource } from "./source.ts";

const never = new AbortController().signal;
const source = new ImageSource();
const turned = pngChunk(
  "eXIf",
  Buffer.from("4d4d002a00000008000101120003000000010006000000000000", "hex"),
);
const note = pngChunk("tEXt", Buffer.from("Comment\0at home"));

function send(
  bytes: Uint8Array<ArrayBuffer>,
  limits: Partial<ImageLimits>,
  refitter: Parameters<typeof sendable>[2],
) {
  const image = { bytes, facts: checkedFacts(bytes) };
  const receiver = { id: "arli", limits: { ...NO_LIMITS, ...limits }, param: "image" };
  return sendable(image, receiver, refitter, source, { keyId: "someone", signal: never });
}

/** Notes what it is asked for, and gives another image. */
function noting(): {
  asked: Refit[];
  refit(bytes: Uint8Array, refit: Refit): Promise<Uint8Array<ArrayBuffer>>;
} {
  const asked: Refit[] = [];
  return {
    asked,
    refit: (_, refit) => {
      asked.push(refit);
      return Promise.resolve(pngOf(1, 1));
    },
  };
}

test("an image that keeps the limits loses its metadata and nothing else, undecoded", async () => {
  const refitter = noting();
  const sent = await send(pngOf(30, 20, { before: [note] }), { maxSide: 30 }, refitter);
  expect(sent).toEqual({ type: "image/png", bytes: new Uint8Array(pngOf(30, 20)) });
  expect(refitter.asked).toEqual([]);
});

test("metadata does not count for the limit of bytes", async () => {
  const refitter = noting();
  const plain = pngOf(30, 20);
  await send(pngOf(30, 20, { before: [note] }), { maxBytes: plain.length }, refitter);
  expect(refitter.asked).toEqual([]);
});

test("one that lies on its side is turned, and one that is too large made smaller", async () => {
  const refitter = noting();
  await send(pngOf(30, 20, { before: [turned] }), {}, refitter);
  await send(pngOf(30, 20, { before: [turned] }), { maxSide: 15 }, refitter);
  expect(refitter.asked).toEqual([
    { width: 20, height: 30, type: "image/png", maxBytes: null },
    { width: 10, height: 15, type: "image/png", maxBytes: null },
  ]);
});

test("without the library the orientation stays as the only metadata", async () => {
  const { bytes } = await send(pngOf(30, 20, { before: [turned, note] }), {}, null);
  expect(imageFacts(bytes)).toMatchObject({ width: 30, height: 20, orientation: 6 });
  expect(Buffer.from(bytes).includes("at home")).toBe(false);
});

test("without the library one beyond the limits is refused, and another target may take it", async () => {
  const limits = { maxSide: 20, maxPixels: 500_000, maxBytes: 1_000_000 };
  const error = await send(pngOf(30, 20), limits, null).catch((thrown: unknown) => thrown);
  if (!(error instanceof GatewayError)) throw error;
  expect(error).toMatchObject({ status: 400, param: "image", fault: "unsupported" });
  expect(error.message).toBe(
    "Invalid value for 'image': 'arli' takes images of at most 20 pixels a side and 0.5 million pixels and 1 MB, and making it smaller needs the package sharp: npm install.",
  );
});

test("one that can't be decoded is told with its place", async () => {
  const refit = () => Promise.reject(new ImageRefused("the image can't be decoded"));
  const error = await send(pngOf(30, 20), { maxSide: 9 }, { refit }).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({
    status: 400,
    message: "Invalid value for 'image': the image can't be decoded.",
  });
});

test.each([
  [{ maxSide: 100 }, 100, 50],
  [{ maxPixels: 5_000 }, 100, 50],
  [{ maxSide: 100, maxPixels: 1_250 }, 50, 25],
  [{ maxSide: 1 }, 1, 1],
  [{ maxBytes: 10 }, 200, 100],
])("sides keep their proportion within %j", (limits, width, height) => {
  const facts = {
    type: "image/jpeg",
    width: 200,
    height: 100,
    frames: 1,
    scans: 1,
    orientation: 1,
  } as const;
  const refit = refitOf(facts, 1000, { ...NO_LIMITS, ...limits });
  expect(refit).toMatchObject({ width, height, type: "image/jpeg" });
});

test("the bounds are those that are written down", () => {
  expect(DEFAULT_BOUNDS).toEqual({
    ...{ maxBytes: 20_000_000, maxPixels: 40_000_000, maxAspect: 200, maxFrames: 1_000 },
  });
});
