import { exifOf, exifOrientation } from "./exif.ts";
import {
  bytesOf,
  type Format,
  MAX_PROFILE_BYTES,
  type Orientation,
  text,
  tooManyPieces,
  viewOf,
} from "./format.ts";

/** More segments than an image has, colour profiles in 64 kB pieces and the tables of its scans included. */
const MAX_SEGMENTS = 4096;
/** Markers 0xC0 to 0xCF begin a frame, but for these: Huffman tables, reserved, arithmetic conditioning. */
const NO_FRAME = new Set([0xc4, 0xc8, 0xcc]);
const [START_OF_FRAMES, END_OF_FRAMES, EXPANSION] = [0xc0, 0xcf, 0xdf];
const [START_OF_IMAGE, END_OF_IMAGE, START_OF_SCAN] = [0xd8, 0xd9, 0xda];
const [APP0, APP1, APP2, APP14, FILL] = [0xe0, 0xe1, 0xe2, 0xee, 0xff];
const EXIF = "Exif\0\0";
const PROFILE = "ICC_PROFILE\0";
/** Bytes of what says how colours are stored; what is longer has a thumbnail, or more that is nobody's. */
const [JFIF_BYTES, ADOBE_BYTES] = [14, 12];

/** ITU T.81, annex B, and T.871; EXIF 2.32, 4.7.2; ICC.1:2022, B.4; Adobe's technical note 5116, 18. */
export const jpeg: Format = {
  type: "image/jpeg",

  is: (bytes) => text(bytes, 0, 3) === "\xff\xd8\xff",

  facts(view) {
    const bytes = bytesOf(view);
    let orientation: Orientation | null = null;
    let size: { readonly width: number; readonly height: number } | null = null;
    let scans = 0;
    for (const { marker, data, end } of segments(bytes)) {
      if (marker === START_OF_SCAN) {
        if (size === null) return null;
        scans += 1;
      } else if (marker === APP1 && scans === 0 && text(bytes, data, 6) === EXIF)
        orientation ??= exifOrientation(bytes.subarray(data + 6, end));
      else if (marker >= START_OF_FRAMES && marker <= END_OF_FRAMES && !NO_FRAME.has(marker))
        size ??= { height: view.getUint16(data + 1), width: view.getUint16(data + 3) };
    }
    if (size === null) return null;
    return { type: "image/jpeg", ...size, frames: 1, scans, orientation: orientation ?? 1 };
  },

  stripped(bytes, orientation) {
    const kept = [bytes.subarray(0, 2)];
    if (orientation !== 1) kept.push(exifSegment(orientation));
    const all = [...segments(bytes)];
    const scan = all.findIndex(({ marker }) => marker === START_OF_SCAN);
    const profile = all
      .filter((each) => isProfile(bytes, each))
      .reduce((sum, { from, end }) => sum + end - from, 0);
    all.forEach((segment, index) => {
      const { marker, from, to } = segment;
      const isPicture = marker >= START_OF_FRAMES && marker <= EXPANSION;
      const isColour = isProfile(bytes, segment) && profile <= MAX_PROFILE_BYTES;
      if (isPicture || (isColour && index < scan)) kept.push(bytes.subarray(from, to));
      // Behind the first scan nobody reads these any more.
      else if (index < scan) kept.push(...shortened(bytes, segment));
    });
    return kept;
  },
};

interface Segment {
  readonly marker: number;
  readonly from: number;
  /** Where its content begins, and ends. */
  readonly data: number;
  readonly end: number;
  /** Where it ends with a scan's data. */
  readonly to: number;
}

/**
 * The segments up to the image's end, or the bytes' where it has none. What else stands between them is left
 * out, as decoders do: they go to the next marker that means something.
 * @throws RangeError for more of them than an image has
 */
function* segments(bytes: Uint8Array): Generator<Segment> {
  const view = viewOf(bytes);
  let from = nextMarker(bytes, 2);
  for (let count = 0; from + 2 <= bytes.length; count++) {
    if (count === MAX_SEGMENTS) throw tooManyPieces();
    const marker = view.getUint8(from + 1);
    const data = from + 4;
    if (marker === END_OF_IMAGE) {
      yield { marker, from, data: from + 2, end: from + 2, to: from + 2 };
      return;
    }
    if (data > bytes.length) return;
    const end = Math.min(bytes.length, from + 2 + Math.max(2, view.getUint16(from + 2)));
    const next = nextMarker(bytes, end);
    yield { marker, from, data, end, to: marker === START_OF_SCAN ? next : end };
    from = next;
  }
}

/**
 * Where the next marker stands that has content, or ends the image; the bytes' end where there is none. In a
 * scan 0xFF stands before 0 and restarts; markers below those of frames have no content, and mean nothing.
 */
function nextMarker(bytes: Uint8Array, start: number): number {
  for (let at = nextFill(bytes, start); ; at = nextFill(bytes, at)) {
    const marker = bytes[at + 1];
    if (marker === undefined) return bytes.length;
    if (!isPassed(marker)) return at;
    at += marker === FILL ? 1 : 2;
  }
}

/** The next 0xFF, or the bytes' end. Near ones are looked for here: a search has to be begun first. */
function nextFill(bytes: Uint8Array, start: number): number {
  const near = Math.min(bytes.length, start + 16);
  for (let at = start; at < near; at++) if (bytes[at] === FILL) return at;
  const found = bytes.indexOf(FILL, near);
  return found === -1 ? bytes.length : found;
}

function isPassed(marker: number): boolean {
  const isRestart = marker > END_OF_FRAMES && marker <= START_OF_IMAGE;
  return marker < START_OF_FRAMES || isRestart || marker === FILL;
}

function isProfile(bytes: Uint8Array, { marker, data }: Segment): boolean {
  return marker === APP2 && text(bytes, data, PROFILE.length) === PROFILE;
}

/** Of JFIF's and Adobe's segments what says how colours are stored, without thumbnail; nothing of any other. */
function shortened(bytes: Uint8Array, { marker, from, data, end }: Segment): Uint8Array[] {
  const isJfif = marker === APP0 && text(bytes, data, 5) === "JFIF\0";
  const isAdobe = marker === APP14 && text(bytes, data, 5) === "Adobe";
  if (!isJfif && !isAdobe) return [];
  const length = isJfif ? JFIF_BYTES : ADOBE_BYTES;
  if (end - data < length) return [];
  const segment = new Uint8Array(bytes.subarray(from, data + length));
  viewOf(segment).setUint16(2, 2 + length);
  // Sides of the thumbnail.
  if (isJfif) segment.fill(0, -2);
  return [segment];
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
