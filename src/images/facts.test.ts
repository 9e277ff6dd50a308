import { describe, expect, test } from "bun:test";
import {
  type ImageFacts,
  type ImageType,
  imageFacts,
  refusedKind,
  withoutMetadata,
} from "./facts.ts";

/** Images of 37 × 21 pixels, as libvips writes them. */
const IMAGES: Record<string, [ImageType, string]> = {
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

function bytesOf(name: string): Buffer<ArrayBuffer> {
  return Buffer.from(IMAGES[name]?.[1] ?? "", "base64");
}

const still = (type: ImageType, width: number, height: number): ImageFacts => ({
  type,
  width,
  height,
  frames: 1,
  scans: 1,
  orientation: 1,
});

describe("type, size, frames and orientation are read from", () => {
  test.each(Object.entries(IMAGES))("a %s", (name, [type]) => {
    const scans = name === "progressive JPEG" ? 2 : 1;
    expect(imageFacts(bytesOf(name))).toEqual({ ...still(type, 37, 21), scans });
  });

  test("bytes in the middle of a buffer", () => {
    const around = Buffer.concat([Buffer.alloc(7), bytesOf("PNG"), Buffer.alloc(9)]);
    expect(imageFacts(around.subarray(7, -9))?.width).toBe(37);
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
    expect(imageFacts(bytes)).toEqual(still("image/jpeg", 37, 21));
  });

  test("a GIF's first frame where it is larger than its screen", () => {
    const gif = bytesOf("GIF");
    const frame = gif.indexOf(0x2c);
    gif.writeUInt16LE(60_000, frame + 5);
    gif.writeUInt16LE(50_000, frame + 7);
    expect(imageFacts(gif)).toEqual(still("image/gif", 60_000, 50_000));
  });
});

describe("no image is", () => {
  test.each(Object.keys(IMAGES))("a %s that ends inside its header", (name) => {
    const bytes = bytesOf(name);
    for (let length = 0; length < Math.min(bytes.length, 20); length++) {
      expect(imageFacts(bytes.subarray(0, length))).toBeNull();
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
    expect(imageFacts(Buffer.from(text.padEnd(64, "\0"), "latin1"))).toBeNull();
  });

  test("one without width or height", () => {
    const png = bytesOf("PNG");
    png.writeUInt32BE(0, 20);
    expect(imageFacts(png)).toBeNull();
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
      expect(imageFacts(bytes)).toBeNull();
      expect(performance.now() - began).toBeLessThan(250);
    }
  });
});

/** What stands before an EXIF block in each format, and where it is put: behind the header. */
const EXIF_PLACES = {
  JPEG: (jpeg: Buffer, tiff: Buffer) => {
    const data = Buffer.concat([Buffer.from("Exif\0\0"), tiff]);
    const head = Buffer.from([0xff, 0xe1, (data.length + 2) >> 8, (data.length + 2) & 0xff]);
    return Buffer.concat([jpeg.subarray(0, 2), head, data, jpeg.subarray(2)]);
  },
  PNG: (png: Buffer, tiff: Buffer) => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(tiff.length);
    head.write("eXIf", 4);
    return Buffer.concat([png.subarray(0, 33), head, tiff, Buffer.alloc(4), png.subarray(33)]);
  },
  "WebP with alpha": (webp: Buffer, tiff: Buffer) => {
    const head = Buffer.alloc(8);
    head.write("EXIF");
    head.writeUInt32LE(tiff.length, 4);
    const all = Buffer.concat([webp, head, tiff]);
    all.writeUInt32LE(all.length - 8, 4);
    all.writeUInt8(all.readUInt8(20) | 0x08, 20);
    return all;
  },
};

/** An EXIF block of 26 bytes and a secret behind it. */
function exif(orientation: number, little: boolean): Buffer {
  const tiff = Buffer.alloc(26);
  const u16 = (value: number, at: number) =>
    little ? tiff.writeUInt16LE(value, at) : tiff.writeUInt16BE(value, at);
  u16(little ? 0x4949 : 0x4d4d, 0);
  u16(42, 2);
  if (little) tiff.writeUInt32LE(8, 4);
  else tiff.writeUInt32BE(8, 4);
  u16(1, 8);
  u16(0x0112, 10);
  u16(3, 12);
  u16(orientation, 18);
  return Buffer.concat([tiff, Buffer.from("GPS: home")]);
}

describe("EXIF", () => {
  const cases = Object.entries(EXIF_PLACES).flatMap(([name, put]) =>
    [true, false].map((little) => ({ name, put, little, order: little ? "II" : "MM" })),
  );

  test.each(cases)("tells the orientation of a $name ($order)", ({ name, put, little }) => {
    const image = bytesOf(name);
    for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8] as const)
      expect(imageFacts(put(image, exif(orientation, little)))).toMatchObject({ orientation });
    for (const nonsense of [0, 9, 65_535])
      expect(imageFacts(put(image, exif(nonsense, little)))).toMatchObject({ orientation: 1 });
  });

  test.each(cases)(
    "of a $name ($order) is taken out; the orientation may stay",
    ({ name, put, little }) => {
      const tagged = put(bytesOf(name), exif(6, little));
      const upright = withoutMetadata(Buffer.from(tagged));
      expect(Buffer.from(upright).includes("GPS")).toBe(false);
      expect(imageFacts(upright)).toEqual({ ...imageFacts(tagged), orientation: 1 } as ImageFacts);
      const turned = withoutMetadata(Buffer.from(tagged), 6);
      expect(Buffer.from(turned).includes("GPS")).toBe(false);
      expect(imageFacts(turned)).toEqual(imageFacts(tagged));
    },
  );

  test("that leads nowhere, or round and round, tells nothing", () => {
    const wild = exif(6, true);
    for (const directory of [0, 9, 0xffff_fff0]) {
      wild.writeUInt32LE(directory, 4);
      expect(imageFacts(EXIF_PLACES.JPEG(bytesOf("JPEG"), wild))).toMatchObject({ orientation: 1 });
    }
  });
});

describe("without metadata", () => {
  test.each(Object.keys(IMAGES))("a %s is what it was, and what followed it is gone", (name) => {
    const image = bytesOf(name);
    const facts = imageFacts(image);
    const polyglot = Buffer.concat([image, Buffer.from("PK\x03\x04<script>alert(1)</script>")]);
    const clean = withoutMetadata(polyglot);
    expect(imageFacts(clean)).toEqual(facts);
    // The JPEG of the examples has no end.
    if (name !== "progressive JPEG") expect(Buffer.from(clean).includes("script")).toBe(false);
    expect(withoutMetadata(clean)).toEqual(clean);
  });

  test("comments and other programs' chunks go", () => {
    const gif = bytesOf("GIF");
    const comment = Buffer.from([0x21, 0xfe, 6, ...Buffer.from("secret"), 0]);
    const frame = gif.indexOf(0x21);
    const told = Buffer.concat([gif.subarray(0, frame), comment, gif.subarray(frame)]);
    expect(withoutMetadata(told)).toEqual(Uint8Array.from(gif));
    const jpeg = bytesOf("JPEG");
    const segment = Buffer.from([0xff, 0xfe, 0, 8, ...Buffer.from("secret")]);
    const noted = Buffer.concat([jpeg.subarray(0, 2), segment, jpeg.subarray(2)]);
    expect(withoutMetadata(noted)).toEqual(Uint8Array.from(jpeg));
  });

  describe("a JPEG has none of", () => {
    const jpeg = bytesOf("progressive JPEG");
    const segment = (marker: number, content: string) => {
      const data = Buffer.from(content, "latin1");
      return Buffer.concat([Buffer.from([0xff, marker, 0, data.length + 2]), data]);
    };
    const put = (at: number, ...more: Uint8Array[]) =>
      Buffer.concat([jpeg.subarray(0, at), ...more, jpeg.subarray(at)]);
    const secondScan = jpeg.indexOf(
      Buffer.from([0xff, 0xda]),
      jpeg.indexOf(Buffer.from([0xff, 0xda])) + 2,
    );
    const JFIF = "JFIF\0\x01\x02\x01\0\x48\0\x48";
    const ADOBE = "Adobe\0\x64\0\0\0\0\x01";

    test.each([
      [
        "what stands between scans",
        put(secondScan, segment(0xe1, "Exif\0\0SECRET"), segment(0xfe, "SECRET")),
      ],
      ["a thumbnail of its own", put(2, segment(0xe0, "JFXX\0\x10SECRET"))],
      ["a marker that means nothing, and what follows it", put(2, segment(0x01, "SECRET"))],
      ["a restart outside of a scan, and what follows it", put(2, segment(0xd0, "SECRET"))],
      [
        "segments that are no part of a picture",
        put(2, segment(0xf7, "SECRET"), segment(0xe9, "SECRET")),
      ],
      ["an Adobe segment that is none", put(2, segment(0xee, "SECRET"))],
    ])("%s", (_, told) => {
      expect(told.includes("SECRET")).toBe(true);
      expect(imageFacts(told)).toEqual(imageFacts(jpeg));
      expect(withoutMetadata(told)).toEqual(Uint8Array.from(jpeg));
    });

    test.each([
      ["a thumbnail in its first segment", 0xe0, `${JFIF}\x01\x02SECRET`, `${JFIF}\0\0`],
      ["more in Adobe's than how colours are stored", 0xee, `${ADOBE}SECRET`, ADOBE],
    ])("%s", (_, marker, content, kept) => {
      const told = put(2, segment(marker, content));
      expect(withoutMetadata(told)).toEqual(Uint8Array.from(put(2, segment(marker, kept))));
    });
  });

  test("bytes that are no image stay what they are", () => {
    const bytes = Buffer.from("<svg/>");
    expect(withoutMetadata(bytes)).toBe(bytes);
  });
});

describe("frames are counted", () => {
  test("in a GIF", () => {
    const gif = bytesOf("GIF");
    const from = gif.indexOf(0x21);
    const frame = gif.subarray(from, -1);
    const film = Buffer.concat([gif.subarray(0, from), frame, frame, frame, Buffer.from(";")]);
    expect(imageFacts(film)).toMatchObject({ frames: 3, width: 37, height: 21 });
  });

  test("in a PNG, by what it says", () => {
    const png = bytesOf("PNG");
    const control = Buffer.alloc(20);
    control.writeUInt32BE(8);
    control.write("acTL", 4);
    control.writeUInt32BE(7, 8);
    const film = Buffer.concat([png.subarray(0, 33), control, png.subarray(33)]);
    expect(imageFacts(film)).toMatchObject({ frames: 7 });
    film.writeUInt32BE(0xffff_ffff, 41);
    expect(imageFacts(film)).toMatchObject({ frames: 10_000 });
  });
});

test.each([
  ["AVIF", "\0\0\0\x1cftypavif"],
  ["HEIC", "\0\0\0\x1cftypheic"],
  ["a video", "\0\0\0\x1cftypisom"],
  ["TIFF", "II*\0"],
  ["PDF", "%PDF-1.7"],
  ["BMP", "BM".padEnd(40)],
  ["a compressed file", "\x1f\x8b\x08"],
  ["SVG", "<svg xmlns='http://www.w3.org/2000/svg'/>"],
  ["SVG", "\n <?xml version='1.0'?><!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>"],
  ["a web page", "<!doctype html>"],
  [null, "hello"],
  [null, ""],
])("what is refused is called by its name: %s", (kind, content) => {
  const bytes = Buffer.from(content, "latin1");
  expect(imageFacts(bytes)).toBeNull();
  expect(refusedKind(bytes)).toBe(kind);
});
