import { crc32 } from "node:zlib";
import { exifOf, exifOrientation } from "./exif.ts";
import {
  bytesOf,
  type Format,
  MAX_CHUNKS,
  MAX_COUNTED_FRAMES,
  MAX_PROFILE_BYTES,
  type Orientation,
  text,
  tooManyPieces,
  viewOf,
} from "./format.ts";

const SIGNATURE = "\x89PNG\r\n\x1a\n";
const HEADER_BYTES = 13;
/** What draws the picture. All others are text, times, thumbnails and other programs' own. */
const KEPT = new Set([
  ...[
    "IHDR",
    "PLTE",
    "IDAT",
    "IEND",
    "tRNS",
    "gAMA",
    "cHRM",
    "sRGB",
    "cICP",
    "sBIT",
    "bKGD",
    "pHYs",
  ],
  ...["acTL", "fcTL", "fdAT"],
]);

/** PNG, third edition (W3C, 2025): 5 for chunks, 11.2.1 for the header, 11.3.2 for EXIF, 11.3.7 for animation. */
export const png: Format = {
  type: "image/png",

  is: (bytes) => text(bytes, 0, 8) === SIGNATURE,

  facts(view) {
    const bytes = bytesOf(view);
    if (text(bytes, 12, 4) !== "IHDR" || view.getUint32(8) !== HEADER_BYTES) return null;
    let frames = 1;
    let orientation: Orientation | null = null;
    for (const { type, data, length } of chunks(bytes)) {
      if (type === "acTL") frames = Math.min(view.getUint32(data), MAX_COUNTED_FRAMES);
      if (type === "eXIf" && orientation === null)
        orientation = exifOrientation(bytes.subarray(data, data + length));
      if (type === "IEND") break;
    }
    const [width, height] = [view.getUint32(16), view.getUint32(20)];
    return {
      type: "image/png",
      width,
      height,
      frames: Math.max(1, frames),
      scans: 1,
      orientation: orientation ?? 1,
    };
  },

  stripped(bytes, orientation) {
    const kept = [bytes.subarray(0, 8)];
    let exif = orientation === 1 ? null : chunk("eXIf", exifOf(orientation));
    for (const { type, from, data, length } of chunks(bytes)) {
      if (type === "IDAT" && exif !== null) {
        kept.push(exif);
        exif = null;
      }
      if (KEPT.has(type) || (type === "iCCP" && length <= MAX_PROFILE_BYTES))
        kept.push(bytes.subarray(from, data + length + 4));
      if (type === "IEND") break;
    }
    return kept;
  },
};

interface Chunk {
  readonly type: string;
  readonly from: number;
  /** Where its content begins. */
  readonly data: number;
  /** Of its content; it may say more than there is. */
  readonly length: number;
}

function* chunks(bytes: Uint8Array): Generator<Chunk> {
  const view = viewOf(bytes);
  let from = 8;
  for (let count = 0; from + 8 <= bytes.length; count++) {
    if (count === MAX_CHUNKS) throw tooManyPieces();
    const length = view.getUint32(from);
    yield { type: text(bytes, from + 4, 4), from, data: from + 8, length };
    from += 12 + length;
  }
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const all = new Uint8Array(12 + data.length);
  const view = viewOf(all);
  view.setUint32(0, data.length);
  all.set(Buffer.from(type, "latin1"), 4);
  all.set(data, 8);
  view.setUint32(8 + data.length, crc32(all.subarray(4, 8 + data.length)));
  return all;
}
