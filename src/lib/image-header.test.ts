import { describe, expect, test } from "bun:test";
import { type ImageHeader, readImageHeader } from "./image-header.ts";

/** Images of 37 × 21 pixels, as libvips writes them. */
const IMAGES: Record<string, [ImageHeader["type"], string]> = {
  PNG: [
    "image/png",
    "iVBORw0KGgoAAAANSUhEUgAAACUAAAAVCAMAAAD2OtecAAAAA1BMVEX/AAAZ4gk3AAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAEUlEQVQokWNgGAWjYBQwYAUAAx4AAWFkFzUAAAAASUVORK5CYII=",
  ],
  JPEG: [
    "image/jpeg",
    "/9j/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L2u71////m8H////6/+b9//j/2wBDASstLTw1PHZBQXb4pYyl+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj/wAARCAAVACUDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAT/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFgEBAQEAAAAAAAAAAAAAAAAAAAQF/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAwDAQACEQMRAD8AlATtgAAAAAAAAAB//9k=",
  ],
  "progressive JPEG": [
    "image/jpeg",
    "/9j/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L2u71////m8H////6/+b9//j/2wBDASstLTw1PHZBQXb4pYyl+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj4+Pj/wgARCAAVACUDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAP/xAAWAQEBAQAAAAAAAAAAAAAAAAAAAwT/2gAMAwEAAhADEAAAAZCewAAAAD//xAAUEAEAAAAAAAAAAAAAAAAAAAAw/9oACAEBAAEFAn//",
  ],
  GIF: [
    "image/gif",
    "R0lGODlhJQAVAIAAAExpcf8AACH5BAUAAAAALAAAAAAlABUAAAIajI+py+0Po5y02ouz3rz7D4biSJbmiaYqWgAAOw==",
  ],
  "lossy WebP": [
    "image/webp",
    "UklGRkYAAABXRUJQVlA4IDoAAAAwAwCdASolABUAP5nK3Wc5Mi0npWgDIDMJZwDMlA8KmggAAP7cUfYYTBOv/Dn2x+9kmP86ZfeQAAAA",
  ],
  "lossless WebP": ["image/webp", "UklGRhwAAABXRUJQVlA4TA8AAAAvJAAFAAcQ/Y/+ByKi/wEA"],
  "WebP with alpha": [
    "image/webp",
    "UklGRmoAAABXRUJQVlA4WAoAAAAQAAAAJAAAFAAAQUxQSAoAAAABB1DAiAhERP8DVlA4IDoAAAAwAwCdASolABUAP5nK3Wc5Mi0npWgDIDMJZwDMlA8KmggAAP7cUfYYTBOv/Dn2x+9kmP86ZfeQAAAA",
  ],
};

function bytesOf(name: string): Buffer {
  return Buffer.from(IMAGES[name]?.[1] ?? "", "base64");
}

describe("type and size are read from", () => {
  test.each(Object.entries(IMAGES))("a %s", (name, [type]) => {
    expect(readImageHeader(bytesOf(name))).toEqual({ type, width: 37, height: 21 });
  });

  test("bytes in the middle of a buffer", () => {
    const around = Buffer.concat([Buffer.alloc(7), bytesOf("PNG"), Buffer.alloc(9)]);
    expect(readImageHeader(around.subarray(7, -9))?.width).toBe(37);
  });

  test("a JPEG whose frame comes after more than 64 kB of profiles and fill bytes", () => {
    const jpeg = bytesOf("JPEG");
    const profile = Buffer.alloc(2 + 0xffff);
    profile.set([0xff, 0xe2, 0xff, 0xff]);
    const bytes = Buffer.concat([
      jpeg.subarray(0, 2),
      profile,
      profile,
      Buffer.from([0xff, 0xff]),
      jpeg.subarray(2),
    ]);
    expect(readImageHeader(bytes)).toEqual({ type: "image/jpeg", width: 37, height: 21 });
  });

  test("a GIF's first frame where it is larger than its screen", () => {
    const gif = bytesOf("GIF");
    const frame = gif.indexOf(0x2c);
    gif.writeUInt16LE(60_000, frame + 5);
    gif.writeUInt16LE(50_000, frame + 7);
    expect(readImageHeader(gif)).toEqual({ type: "image/gif", width: 60_000, height: 50_000 });
  });
});

describe("no image is", () => {
  test.each(Object.keys(IMAGES))("a %s that ends inside its header", (name) => {
    const bytes = bytesOf(name);
    for (let length = 0; length < Math.min(bytes.length, 20); length++) {
      expect(readImageHeader(bytes.subarray(0, length))).toBeNull();
    }
  });

  test.each([
    "<!doctype html><html>",
    "<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'/>",
    "%PDF-1.7",
    "BM",
    "\x00\x00\x00\x1cftypavif",
    "RIFF\x00\x00\x00\x00WAVEfmt ",
    "GIF90a",
  ])("%p", (text) => {
    expect(readImageHeader(Buffer.from(text.padEnd(64, "\0"), "latin1"))).toBeNull();
  });

  test("one without width or height", () => {
    const png = bytesOf("PNG");
    png.writeUInt32BE(0, 20);
    expect(readImageHeader(png)).toBeNull();
  });

  test("20 MB that look like the beginning of one, found out at once", () => {
    const bytes = Buffer.alloc(20_000_000);
    const segments = Buffer.from([0xff, 0xe0, 0x00, 0x02]);
    for (const [magic, fill] of [
      [Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from([0])],
      [Buffer.from([0xff, 0xd8]), segments],
      [Buffer.from([0xff, 0xd8]), Buffer.from([0xff])],
      [Buffer.from("GIF89a\0\0\0\0\0\0\0", "latin1"), Buffer.from([0x21, 0xfe, 1, 1, 0])],
      [Buffer.from("GIF89a\0\0\0\0\0\0\0!\xfe", "latin1"), Buffer.from([1, 1])],
    ] as const) {
      bytes.fill(fill).set(magic);
      const began = performance.now();
      expect(readImageHeader(bytes)).toBeNull();
      expect(performance.now() - began).toBeLessThan(250);
    }
  });
});
