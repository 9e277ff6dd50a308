import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { deflateSync, gzipSync } from "node:zlib";
import sharp from "sharp";
import { pngChunk, pngOf } from "../../test/images.ts";
import { checkedFacts, DEFAULT_BOUNDS, ImageRefused } from "./bounds.ts";
import { dataUri } from "./data-uri.ts";
import { imageFacts, withoutMetadata } from "./facts.ts";
import { Refitter } from "./refitter.ts";
import { ImageSource } from "./source.ts";

/**
 * Files that are small and would become huge, or keep a decoder busy for ever. Those that their first bytes give
 * away are refused before anything is decoded, in this process; the others meet the decoder in its own.
 */

/** Milliseconds and bytes that looking at an image may take in the gateway's own process. */
const LOOK = { ms: 300, bytes: 150_000_000 };
/** What decoding may take in the process that decodes: one image of 40 million pixels, in its worst form. */
const DECODE = { ms: 30_000, bytes: 1_200_000_000 };

const FIGURES = process.env.COVEY_TEST_FIGURES === "1";
const never = new AbortController().signal;
const asker = { keyId: "someone", signal: never };
const PARAM = "messages[0].content[1].image_url.url";
const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

function repeated(piece: Uint8Array, times: number): Uint8Array {
  const all = new Uint8Array(piece.length * times);
  if (times === 0) return all;
  all.set(piece);
  for (let done = piece.length; done < all.length; done *= 2)
    all.copyWithin(done, 0, Math.min(done, all.length - done));
  return all;
}

/** 64 kB that say they are 40,000 × 40,000. */
function vastPng(): Uint8Array<ArrayBuffer> {
  const pixels = deflateSync(Buffer.alloc(64_000_000), { level: 9 });
  return pngOf(40_000, 40_000, { pixels: pixels.subarray(0, 64_000) });
}

/** A still GIF of one black pixel. */
const GIF = Buffer.from("R0lGODlhAQABAIAAAAAAAAAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==", "base64");

function gifOf(width: number, height: number, frames: number): Uint8Array<ArrayBuffer> {
  const gif = Buffer.from(GIF);
  gif.writeUInt16LE(width, 6);
  gif.writeUInt16LE(height, 8);
  const frame = gif.subarray(gif.indexOf(0x2c), -1);
  return joined(gif.subarray(0, gif.indexOf(0x2c)), repeated(frame, frames), bytesOf(";"));
}

function apngOf(frames: number): Uint8Array<ArrayBuffer> {
  const control = Buffer.alloc(8);
  control.writeUInt32BE(frames);
  return pngOf(100, 100, { before: [pngChunk("acTL", control)] });
}

function webpOf(width: number, height: number, frames: number): Uint8Array<ArrayBuffer> {
  const head = Buffer.alloc(30);
  head.write("RIFF");
  head.write("WEBPVP8X", 8);
  head.writeUInt32LE(10, 16);
  head.writeUInt8(2, 20);
  head.writeUIntLE(width - 1, 24, 3);
  head.writeUIntLE(height - 1, 27, 3);
  const frame = Buffer.alloc(24);
  frame.write("ANMF");
  frame.writeUInt32LE(16, 4);
  const all = joined(head, repeated(frame, frames));
  new DataView(all.buffer).setUint32(4, all.length - 8, true);
  return all;
}

/** A progressive JPEG of 40 million pixels whose scans say nothing. */
function scannedJpeg(scans: number): Uint8Array<ArrayBuffer> {
  const frame = bytesOf("\xff\xd8\xff\xc2\0\x0b\x08\x18\x9c\x18\x9c\x01\x01\x11\0");
  const scan = bytesOf("\xff\xda\0\x08\x01\x01\0\x01\x01\0\0\xff\0");
  return joined(frame, repeated(scan, scans), bytesOf("\xff\xd9"));
}

const BILLION_LAUGHS = `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "ha">${Array.from(
  { length: 9 },
  (_, n) => `<!ENTITY ${"bcdefghij"[n]} "${`&${"abcdefghi"[n]};`.repeat(10)}">`,
).join("")}]><svg xmlns="http://www.w3.org/2000/svg"><text>&j;</text></svg>`;

const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="99999" height="99999"></svg>';

/** By name: the file, and why it is refused before decoding. */
const SEEN_AT_ONCE: Readonly<Record<string, [() => Uint8Array<ArrayBuffer>, RegExp]>> = {
  "64 kB of PNG of 40,000 × 40,000": [vastPng, /40000 × 40000 pixels, and at most 40 million/],
  "a PNG of 4 billion × 4 billion": [
    () => pngOf(0xffff_ffff, 0xffff_ffff, { pixels: deflateSync("") }),
    /at most 40 million/,
  ],
  "a PNG one pixel high": [
    () => pngOf(30_000_000, 1, { pixels: deflateSync("") }),
    /at most 200 times the other/,
  ],
  "a GIF of 65,535 × 65,535": [() => gifOf(65_535, 65_535, 1), /at most 40 million/],
  "a GIF of 60,000 frames": [() => gifOf(10, 10, 60_000), /more than 1000 frames/],
  "a GIF of a million frames": [() => gifOf(10, 10, 1_000_000), /^it is no PNG/],
  "an APNG of 4 billion frames": [() => apngOf(0xffff_ffff), /more than 1000 frames/],
  "a WebP of 16 million × 16 million": [() => webpOf(1 << 24, 1 << 24, 1), /at most 40 million/],
  "a WebP of 10,000 frames": [() => webpOf(64, 64, 10_000), /more than 1000 frames/],
  "a WebP of 800,000 frames": [() => webpOf(64, 64, 800_000), /^it is no PNG/],
  "a JPEG in 101 scans": [() => scannedJpeg(101), /in more than 100 scans/],
  "a JPEG in a million scans": [() => scannedJpeg(1_000_000), /^it is no PNG/],
  "an SVG that says it is huge": [() => bytesOf(SVG), /^it is SVG/],
  "an SVG of a billion laughs": [() => bytesOf(BILLION_LAUGHS), /^it is SVG/],
  "a zipped SVG of 100 MB": [
    () => new Uint8Array(gzipSync(Buffer.from(`${SVG}<!--${" ".repeat(100_000_000)}-->`))),
    /^it is a compressed file/,
  ],
  "more bytes than are taken": [
    () => joined(pngOf(10, 10), new Uint8Array(20_000_000)),
    /larger than 20 MB/,
  ],
  "HTML that a PNG follows": [
    () => joined(bytesOf("<!doctype html><script>"), pngOf(9, 9)),
    /^it is a web page/,
  ],
  "a PDF that a JPEG follows": [() => bytesOf("%PDF-1.7\n\xff\xd8\xff\xe0"), /^it is PDF/],
  "a PNG without a header": [
    () => joined(bytesOf("\x89PNG\r\n\x1a\n"), pngChunk("IDAT", deflateSync("a"))),
    /^it is no PNG/,
  ],
};

describe("refused before anything is decoded", () => {
  test.each(Object.entries(SEEN_AT_ONCE))("%s", async (_, [make, why]) => {
    const bytes = make();
    const before = process.memoryUsage.rss();
    const began = performance.now();
    expect(() => checkedFacts(bytes)).toThrow(ImageRefused);
    expect(() => checkedFacts(bytes)).toThrow(why);
    expect(performance.now() - began).toBeLessThan(LOOK.ms);
    // The same as a caller sends it, and is told.
    const reference = { url: dataUri("image/png", bytes), param: PARAM };
    const error = await new ImageSource().read(reference, never).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 400, param: PARAM });
    expect(process.memoryUsage.rss() - before).toBeLessThan(LOOK.bytes);
  });

  test("20 MB of the smallest pieces of every format are looked at within the time", () => {
    const many: Readonly<Record<string, [Uint8Array, Uint8Array]>> = {
      png: [pngOf(9, 9).subarray(0, -12), pngChunk("tEXt", Buffer.alloc(0))],
      gif: [gifOf(9, 9, 1).subarray(0, -1), bytesOf("\x21\xfe\x01a\0")],
      "gif of tiny blocks": [gifOf(9, 9, 1).subarray(0, -2), bytesOf("\x01a")],
      webp: [webpOf(9, 9, 1), bytesOf("ABCD\0\0\0\0")],
      "jpeg, comments": [scannedJpeg(0).subarray(0, -2), bytesOf("\xff\xfe\0\x02")],
      "jpeg, 0xFF in a scan": [scannedJpeg(1).subarray(0, -2), bytesOf("\xff\0")],
      "jpeg, restarts": [scannedJpeg(1).subarray(0, -2), bytesOf("\xff\xd0")],
      "jpeg, restarts apart": [scannedJpeg(1).subarray(0, -2), bytesOf("\xff\xd0a")],
      "jpeg, fill": [scannedJpeg(1).subarray(0, -2), bytesOf("\xff")],
      "exif everywhere": [webpOf(9, 9, 1), bytesOf("EXIF\x04\0\0\0MM\0*")],
    };
    for (const [name, [head, piece]] of Object.entries(many)) {
      const bytes = joined(head, repeated(piece, Math.floor(19_000_000 / piece.length)));
      if (bytes[0] === 0x52) new DataView(bytes.buffer).setUint32(4, bytes.length - 8, true);
      const began = performance.now();
      const facts = imageFacts(bytes);
      if (facts !== null) withoutMetadata(bytes);
      const ms = performance.now() - began;
      if (FIGURES) console.log(`${name}: ${Math.round(ms)} ms, ${JSON.stringify(facts)}`);
      expect({ name, isSlow: ms > LOOK.ms }).toEqual({ name, isSlow: false });
    }
  });
});

/** So many zeros, a thousandth as long. */
function longDeflate(bytes: number): Uint8Array {
  return deflateSync(Buffer.alloc(bytes), { level: 9 });
}

const JPEG = (
  width: number,
  height: number,
  progressive = false,
): Promise<Uint8Array<ArrayBuffer>> =>
  sharp({ create: { width, height, channels: 3, background: "teal" } })
    .jpeg({ progressive })
    .toBuffer()
    .then((buffer) => new Uint8Array(buffer));

function segments(marker: number, head: string, count: number): Uint8Array {
  const segment = Buffer.alloc(2 + 65_535, 0x41);
  segment.set([0xff, marker, 0xff, 0xff]);
  segment.write(head, 4, "latin1");
  return Buffer.concat(Array<Uint8Array>(count).fill(segment));
}

const after = (jpeg: Uint8Array, more: Uint8Array) =>
  joined(jpeg.subarray(0, 2), more, jpeg.subarray(2));

/** Bits as a scan's data, filled up with ones. */
function scanOf(bits: string): Uint8Array {
  const bytes: number[] = [];
  const whole = bits.padEnd(Math.ceil(bits.length / 8) * 8, "1");
  for (let at = 0; at < whole.length; at += 8) {
    const byte = Number.parseInt(whole.slice(at, at + 8), 2);
    bytes.push(...(byte === 0xff ? [byte, 0] : [byte]));
  }
  return Uint8Array.from(bytes);
}

/** Black, as a progressive JPEG whose scans bring the coefficients bit by bit: all in good order. */
function refinedJpeg(side: number, scans: number): Uint8Array<ArrayBuffer> {
  const segment = (marker: number, ...content: number[]) =>
    Uint8Array.from([0xff, marker, 0, content.length + 2, ...content]);
  const u16 = (value: number) => [value >> 8, value & 0xff];
  const blocks = Math.ceil(side / 8) ** 2;
  // A run of 16,384 blocks without anything has the code 0 and says its length; one block has 10.
  let rest = blocks;
  let runs = "";
  for (; rest >= 16_384; rest -= Math.min(rest, 32_767))
    runs += `0${(Math.min(rest, 32_767) - 16_384).toString(2).padStart(14, "0")}`;
  const nothing = scanOf(runs + "10".repeat(rest));
  const refinements = Array.from({ length: scans - 1 }, (_, scan) => {
    const coefficient = 1 + Math.floor(scan / 14);
    const low = 13 - (scan % 14);
    const high = low === 13 ? 0 : low + 1;
    return [segment(0xda, 1, 1, 0, coefficient, coefficient, high * 16 + low), nothing];
  });
  return joined(
    ...[bytesOf("\xff\xd8"), segment(0xdb, 0, ...Array<number>(64).fill(1))],
    segment(0xc2, 8, ...u16(side), ...u16(side), 1, 1, 0x11, 0),
    segment(0xc4, 0, 1, ...Array<number>(15).fill(0), 0),
    segment(0xc4, 0x10, 1, 1, ...Array<number>(14).fill(0), 0xe0, 0),
    ...[segment(0xda, 1, 1, 0, 0, 0, 0), scanOf("0".repeat(blocks))],
    ...refinements.flat(),
    bytesOf("\xff\xd9"),
  );
}

/** What the header does not give away; each has at most as many pixels as are taken. */
const DECODED: Readonly<
  Record<
    string,
    [() => Promise<Uint8Array<ArrayBuffer>> | Uint8Array<ArrayBuffer>, "taken" | "refused"]
  >
> = {
  "a PNG of 40 million pixels in 16 bits, interlaced": [
    () => pngOf(6300, 6300, { depth: 16, colour: 6, interlaced: true }),
    "taken",
  ],
  "a JPEG of 40 million pixels, progressive": [() => JPEG(6300, 6300, true), "taken"],
  "a GIF of 40 million pixels": [() => gifOf(6300, 6300, 2), "taken"],
  "a PNG with a thousand times the pixels that it says": [
    () => pngOf(100, 100, { pixels: longDeflate(300_000_000) }),
    "taken",
  ],
  "a PNG with a colour profile that unpacks to 300 MB": [
    () =>
      pngOf(100, 100, {
        before: [pngChunk("iCCP", joined(bytesOf("bomb\0\0"), longDeflate(300_000_000)))],
      }),
    "taken",
  ],
  "a PNG with text that unpacks to 300 MB, a hundred times": [
    () => {
      const text = pngChunk("zTXt", joined(bytesOf("a\0\0"), longDeflate(100_000_000)));
      return pngOf(100, 100, { before: Array<Buffer>(100).fill(text) });
    },
    "taken",
  ],
  "a JPEG with 19 MB of EXIF": [
    async () => after(await JPEG(100, 100), segments(0xe1, "Exif\0\0MM\0*\0\0\0\x08", 290)),
    "taken",
  ],
  "a JPEG with 19 MB of colour profile": [
    async () => after(await JPEG(100, 100), segments(0xe2, "ICC_PROFILE\0\x01\xff", 290)),
    "taken",
  ],
  "a JPEG with a profile of nonsense": [
    async () => after(await JPEG(100, 100), segments(0xe2, "ICC_PROFILE\0\x01\x01", 1)),
    "taken",
  ],
  "a JPEG that a ZIP and a script follow": [
    async () => joined(await JPEG(100, 100), bytesOf("PK\x03\x04<script>")),
    "taken",
  ],
  "a GIF that is JavaScript too": [
    () => joined(gifOf(10, 10, 1), bytesOf("=1;alert(document.cookie)")),
    "taken",
  ],
  "a JPEG of 40 million pixels in 100 scans": [() => refinedJpeg(6300, 100), "taken"],
  "a JPEG that is cut off": [async () => (await JPEG(2000, 2000)).slice(0, 3000), "refused"],
  "a PNG that is cut off": [() => pngOf(2000, 2000).slice(0, 600), "refused"],
  "a PNG of 40 million pixels with ten of them": [
    () => pngOf(6300, 6300, { pixels: deflateSync(Buffer.alloc(30)) }),
    "refused",
  ],
  "a WebP of frames that hold nothing": [() => webpOf(6300, 6300, 900), "refused"],
};

describe("refused or decoded within the bounds of memory and time", () => {
  let refitter: Refitter;
  beforeEach(() => {
    refitter = new Refitter({ jobMs: DECODE.ms, maxMemory: DECODE.bytes });
  });
  afterEach(() => refitter.close());

  /** The most memory that the decoding process ever had; 0 where the system does not tell. */
  function peak(): number {
    if (process.platform !== "linux" || refitter.pid === null) return 0;
    const status = readFileSync(`/proc/${refitter.pid}/status`, "utf8");
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }

  test("40 million pixels in their worst form, turned and written whole", async () => {
    const exif = Buffer.from("4d4d002a00000008000101120003000000010006000000000000", "hex");
    const bytes = pngOf(6300, 6300, {
      ...{ depth: 16, colour: 6, interlaced: true },
      before: [pngChunk("eXIf", exif)],
    });
    expect(imageFacts(bytes)).toMatchObject({ orientation: 6 });
    const began = performance.now();
    const refit = { width: 6300, height: 6300, type: "image/png", maxBytes: null } as const;
    const file = await refitter.refit(bytes, refit, DEFAULT_BOUNDS, asker);
    const ms = performance.now() - began;
    if (FIGURES) console.log(`worst: ${Math.round(ms)} ms, ${Math.round(peak() / 1e6)} MB`);
    expect(imageFacts(file)).toMatchObject({ width: 6300, height: 6300, orientation: 1 });
    expect(peak()).toBeLessThan(DECODE.bytes);
  }, 60_000);

  test.each(Object.entries(DECODED))(
    "%s",
    async (name, [make, end]) => {
      const bytes = await make();
      const facts = checkedFacts(bytes);
      expect(bytes.length).toBeLessThan(DEFAULT_BOUNDS.maxBytes);
      const before = process.memoryUsage.rss();
      const began = performance.now();
      const refit = { width: 64, height: 64, type: "image/png", maxBytes: null } as const;
      const file = await refitter
        .refit(bytes, refit, DEFAULT_BOUNDS, asker)
        .catch((error: unknown) => error);
      const ms = performance.now() - began;
      if (process.env.COVEY_TEST_FIGURES === "1")
        console.log(`${name}: ${Math.round(ms)} ms, ${Math.round(peak() / 1e6)} MB, ${facts.type}`);
      if (end === "refused") expect(file).toBeInstanceOf(ImageRefused);
      else {
        if (!(file instanceof Uint8Array)) throw file;
        expect(imageFacts(Uint8Array.from(file))).toMatchObject({ width: 64, height: 64 });
        expect(Buffer.from(file).includes("script")).toBe(false);
      }
      expect(ms).toBeLessThan(DECODE.ms);
      expect(peak()).toBeLessThan(DECODE.bytes);
      expect(process.memoryUsage.rss() - before).toBeLessThan(LOOK.bytes);
    },
    60_000,
  );
});
