/** What the first bytes of an image say of it. Pixels, of one frame. */
export interface ImageHeader {
  readonly type: "image/png" | "image/jpeg" | "image/gif" | "image/webp";
  readonly width: number;
  readonly height: number;
}

/**
 * Reads type and size of a PNG, JPEG, GIF or WebP from its header, without decoding; null for
 * anything else, and for a header that makes no sense. Takes a bounded number of steps on any bytes.
 * Sources: PNG (ISO/IEC 15948) 11.2.2, JPEG (ITU T.81) B.2, GIF89a 18 and 20, WebP (RFC 9649) 2.5–2.7.
 */
export function readImageHeader(bytes: Uint8Array): ImageHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const read of [png, jpeg, gif, webp]) {
    try {
      const header = read(view);
      if (header !== null) return header.width > 0 && header.height > 0 ? header : null;
    } catch (error) {
      // The bytes end inside the header.
      if (!(error instanceof RangeError)) throw error;
      return null;
    }
  }
  return null;
}

function text(view: DataView, at: number, length: number): string {
  if (at + length > view.byteLength) return "";
  return String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at, length));
}

function png(view: DataView): ImageHeader | null {
  if (text(view, 0, 8) !== "\x89PNG\r\n\x1a\n" || text(view, 12, 4) !== "IHDR") return null;
  return { type: "image/png", width: view.getUint32(16), height: view.getUint32(20) };
}

/** More segments than an image has before its frame, color profiles in 64 kB pieces included. */
const MAX_SEGMENTS = 4096;
/** Markers 0xC0 to 0xCF begin a frame, but for these: Huffman tables, reserved, arithmetic conditioning. */
const NO_FRAME = new Set([0xc4, 0xc8, 0xcc]);
const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;

function jpeg(view: DataView): ImageHeader | null {
  if (text(view, 0, 3) !== "\xff\xd8\xff") return null;
  let at = 2;
  for (let segment = 0; segment < MAX_SEGMENTS; segment++) {
    if (view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      // A fill byte.
      at += 1;
      continue;
    }
    if (marker === START_OF_SCAN || marker === END_OF_IMAGE) return null;
    if (marker >= 0xc0 && marker <= 0xcf && !NO_FRAME.has(marker)) {
      return { type: "image/jpeg", width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    }
    at += 2 + Math.max(2, view.getUint16(at + 2));
  }
  return null;
}

/** The screen, or the first frame where it is larger: decoders differ in which they go by. */
function gif(view: DataView): ImageHeader | null {
  if (!/^GIF8[79]a$/.test(text(view, 0, 6))) return null;
  const tableBytes = (flags: number): number => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  let at = 13 + tableBytes(view.getUint8(10));
  // Extensions: a label, then blocks of up to 255 bytes, then an empty one.
  for (let blocks = 0; view.getUint8(at) === 0x21; at += 1) {
    for (at += 2; view.getUint8(at) > 0; at += 1 + view.getUint8(at)) {
      if (++blocks > MAX_SEGMENTS) return null;
    }
    if (++blocks > MAX_SEGMENTS) return null;
  }
  if (view.getUint8(at) !== 0x2c) return null;
  const right = view.getUint16(at + 1, true) + view.getUint16(at + 5, true);
  const bottom = view.getUint16(at + 3, true) + view.getUint16(at + 7, true);
  return {
    type: "image/gif",
    width: Math.max(view.getUint16(6, true), right),
    height: Math.max(view.getUint16(8, true), bottom),
  };
}

function webp(view: DataView): ImageHeader | null {
  if (text(view, 0, 4) !== "RIFF" || text(view, 8, 4) !== "WEBP") return null;
  const type = "image/webp";
  const kind = text(view, 12, 4);
  if (kind === "VP8X") {
    const width = 1 + (view.getUint16(24, true) | (view.getUint8(26) << 16));
    const height = 1 + (view.getUint16(27, true) | (view.getUint8(29) << 16));
    return { type, width, height };
  }
  if (kind === "VP8L" && view.getUint8(20) === 0x2f) {
    const bits = view.getUint32(21, true);
    return { type, width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
  }
  if (kind !== "VP8 " || text(view, 23, 3) !== "\x9d\x01\x2a") return null;
  const width = view.getUint16(26, true) & 0x3fff;
  return { type, width, height: view.getUint16(28, true) & 0x3fff };
}
