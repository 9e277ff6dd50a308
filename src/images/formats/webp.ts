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

const PICTURE = new Set(["VP8 ", "VP8L", "ALPH", "ANIM", "ANMF"]);
const [HAS_PROFILE, HAS_EXIF, HAS_XMP] = [0x20, 0x08, 0x04];
const EXIF = "Exif\0\0";

/** WebP (RFC 9649): 2.3 to 2.7. */
export const webp: Format = {
  type: "image/webp",

  is: (bytes) => text(bytes, 0, 4) === "RIFF" && text(bytes, 8, 4) === "WEBP",

  facts(view) {
    const bytes = bytesOf(view);
    const size = sizeOf(view, text(bytes, 12, 4));
    if (size === null) return null;
    let frames = 0;
    let orientation: Orientation | null = null;
    for (const { type, data, to } of chunks(bytes)) {
      if (type === "ANMF" && frames < MAX_COUNTED_FRAMES) frames += 1;
      if (type === "EXIF" && orientation === null) {
        const from = text(bytes, data, 6) === EXIF ? data + 6 : data;
        orientation = exifOrientation(bytes.subarray(from, to));
      }
    }
    return {
      type: "image/webp",
      ...size,
      frames: Math.max(1, frames),
      scans: 1,
      orientation: orientation ?? 1,
    };
  },

  stripped(bytes, orientation) {
    const kept: Uint8Array[] = [];
    let flags: Uint8Array | null = null;
    for (const { type, from, data, to } of chunks(bytes)) {
      const whole = bytes.subarray(from, to);
      if (type === "VP8X" && flags === null) {
        flags = whole.slice();
        kept.push(flags);
      } else if (type === "ICCP" && to - data <= MAX_PROFILE_BYTES) {
        if (flags !== null) kept.push(whole);
      } else if (PICTURE.has(type)) kept.push(whole);
    }
    if (flags !== null && flags.length > 8) {
      const hasProfile = kept.some((piece) => text(piece, 0, 4) === "ICCP");
      const view = viewOf(flags);
      const others = view.getUint8(8) & ~(HAS_PROFILE | HAS_EXIF | HAS_XMP);
      const exif = orientation === 1 ? 0 : HAS_EXIF;
      view.setUint8(8, others | (hasProfile ? HAS_PROFILE : 0) | exif);
      if (exif !== 0) kept.push(exifChunk(orientation));
    }
    const header = bytes.slice(0, 12);
    const length = kept.reduce((sum, piece) => sum + piece.length, 0);
    if (header.length === 12) viewOf(header).setUint32(4, 4 + length, true);
    return [header, ...kept];
  },
};

function sizeOf(view: DataView, kind: string): { width: number; height: number } | null {
  if (kind === "VP8X") {
    const width = 1 + (view.getUint16(24, true) | (view.getUint8(26) << 16));
    const height = 1 + (view.getUint16(27, true) | (view.getUint8(29) << 16));
    return { width, height };
  }
  if (kind === "VP8L" && view.getUint8(20) === 0x2f) {
    const bits = view.getUint32(21, true);
    return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
  }
  if (kind !== "VP8 " || text(bytesOf(view), 23, 3) !== "\x9d\x01\x2a") return null;
  const width = view.getUint16(26, true) & 0x3fff;
  return { width, height: view.getUint16(28, true) & 0x3fff };
}

interface Chunk {
  readonly type: string;
  readonly from: number;
  /** Where its content begins. */
  readonly data: number;
  /** Behind it, with the byte that makes it even. */
  readonly to: number;
}

/** The chunks of the RIFF file, as long as it says it is. */
function* chunks(bytes: Uint8Array): Generator<Chunk> {
  if (bytes.length < 12) return;
  const view = viewOf(bytes);
  const end = Math.min(bytes.length, 8 + view.getUint32(4, true));
  let from = 12;
  for (let count = 0; from + 8 <= end; count++) {
    if (count === MAX_CHUNKS) throw tooManyPieces();
    const length = view.getUint32(from + 4, true);
    const to = Math.min(end, from + 8 + length + (length & 1));
    yield { type: text(bytes, from, 4), from, data: from + 8, to };
    from = to;
  }
}

function exifChunk(orientation: Orientation): Uint8Array {
  const tiff = exifOf(orientation);
  const chunk = new Uint8Array(8 + tiff.length);
  chunk.set(Buffer.from("EXIF", "latin1"));
  viewOf(chunk).setUint32(4, tiff.length, true);
  chunk.set(tiff, 8);
  return chunk;
}
