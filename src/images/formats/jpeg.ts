import { exifOf, exifOrientation } from "./exif.ts";
import {
  bytesOf,
  type Format,
  MAX_PROFILE_BYTES,
  type Orientation,
  text,
  viewOf,
} from "./format.ts";

/** More segments than an image has before its first scan, colour profiles in 64 kB pieces included. */
const MAX_SEGMENTS = 4096;
/** Markers 0xC0 to 0xCF begin a frame, but for these: Huffman tables, reserved, arithmetic conditioning. */
const NO_FRAME = new Set([0xc4, 0xc8, 0xcc]);
const [START_OF_SCAN, END_OF_IMAGE, COMMENT] = [0xda, 0xd9, 0xfe];
const [APP0, APP1, APP2, APP14, APP15] = [0xe0, 0xe1, 0xe2, 0xee, 0xef];
const EXIF = "Exif\0\0";
const PROFILE = "ICC_PROFILE\0";

/** ITU T.81, annex B; EXIF 2.32, 4.7.2; ICC.1:2022, B.4. */
export const jpeg: Format = {
  type: "image/jpeg",

  is: (bytes) => text(bytes, 0, 3) === "\xff\xd8\xff",

  facts(view) {
    const bytes = bytesOf(view);
    let orientation: Orientation | null = null;
    for (const { marker, data, to } of segments(bytes)) {
      if (marker === APP1 && orientation === null && text(bytes, data, 6) === EXIF)
        orientation = exifOrientation(bytes.subarray(data + 6, to));
      if (marker < 0xc0 || marker > 0xcf || NO_FRAME.has(marker)) continue;
      const [height, width] = [view.getUint16(data + 1), view.getUint16(data + 3)];
      return { type: "image/jpeg", width, height, frames: 1, orientation: orientation ?? 1 };
    }
    return null;
  },

  stripped(bytes, orientation) {
    const kept = [bytes.subarray(0, 2)];
    if (orientation !== 1) kept.push(exifSegment(orientation));
    const all = [...segments(bytes)];
    const profile = all
      .filter((each) => isProfile(bytes, each))
      .reduce((sum, { from, to }) => sum + to - from, 0);
    let end = 2;
    for (const segment of all) {
      const { marker, from, to } = segment;
      end = to;
      if (marker === COMMENT || (marker > APP0 && marker <= APP15 && marker !== APP14))
        if (!isProfile(bytes, segment) || profile > MAX_PROFILE_BYTES) continue;
      kept.push(bytes.subarray(from, to));
    }
    kept.push(bytes.subarray(end, endOfImage(bytes, end)));
    return kept;
  },
};

interface Segment {
  readonly marker: number;
  readonly from: number;
  /** Where its content begins. */
  readonly data: number;
  readonly to: number;
}

/** The segments before the first scan, with fill bytes left out. */
function* segments(bytes: Uint8Array): Generator<Segment> {
  const view = viewOf(bytes);
  let from = 2;
  for (let count = 0; count < MAX_SEGMENTS && from + 4 <= bytes.length; count++) {
    const marker = view.getUint8(from + 1);
    if (view.getUint8(from) !== 0xff || marker === START_OF_SCAN || marker === END_OF_IMAGE) return;
    if (marker === 0xff) {
      from += 1;
      continue;
    }
    const to = from + 2 + Math.max(2, view.getUint16(from + 2));
    yield { marker, from, data: from + 4, to };
    from = to;
  }
}

function isProfile(bytes: Uint8Array, { marker, data }: Segment): boolean {
  return marker === APP2 && text(bytes, data, PROFILE.length) === PROFILE;
}

/** Behind the image's end, or the bytes' where it has none. In scans 0xFF stands before 0 and restarts. */
function endOfImage(bytes: Uint8Array, scan: number): number {
  const view = viewOf(bytes);
  let at = scan;
  for (;;) {
    at = bytes.indexOf(0xff, at);
    if (at === -1 || at + 2 > bytes.length) return bytes.length;
    const marker = view.getUint8(at + 1);
    if (marker === END_OF_IMAGE) return at + 2;
    const isData = marker === 0 || marker === 0xff || (marker >= 0xd0 && marker <= 0xd7);
    if (isData) at += marker === 0xff ? 1 : 2;
    else if (at + 4 > bytes.length) return bytes.length;
    else at += 2 + Math.max(2, view.getUint16(at + 2));
  }
}

function exifSegment(orientation: Orientation): Uint8Array {
  const tiff = exifOf(orientation);
  const segment = new Uint8Array(10 + tiff.length);
  const view = viewOf(segment);
  view.setUint16(0, 0xff00 | APP1);
  view.setUint16(2, 8 + tiff.length);
  segment.set(Buffer.from(EXIF, "latin1"), 4);
  segment.set(tiff, 10);
  return segment;
}
