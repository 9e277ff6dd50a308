import { type Format, type ImageFacts, type Orientation, text, viewOf } from "./formats/format.ts";
import { gif } from "./formats/gif.ts";
import { jpeg } from "./formats/jpeg.ts";
import { png } from "./formats/png.ts";
import { webp } from "./formats/webp.ts";

export type { ImageFacts, ImageType, Orientation } from "./formats/format.ts";

const FORMATS: readonly Format[] = [png, jpeg, gif, webp];

/**
 * Type, size, frames and orientation of a PNG, JPEG, GIF or WebP, by its content alone and without
 * decoding; null for anything else, and for a header that makes no sense.
 */
export function imageFacts(bytes: Uint8Array): ImageFacts | null {
  const format = formatOf(bytes);
  if (format === undefined) return null;
  try {
    const facts = format.facts(viewOf(bytes));
    return facts !== null && facts.width > 0 && facts.height > 0 ? facts : null;
  } catch (error) {
    // The bytes end inside the header, or are more pieces than an image has.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/**
 * The same picture without metadata, and without anything behind its end; colour profiles stay. `orientation`
 * is all that it still tells. Bytes that are no image are given back. For bytes that have facts.
 */
export function withoutMetadata(
  bytes: Uint8Array<ArrayBuffer>,
  orientation: Orientation = 1,
): Uint8Array<ArrayBuffer> {
  const pieces = formatOf(bytes)?.stripped(bytes, orientation) ?? [bytes];
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (length === bytes.length && orientation === 1) return bytes;
  const clean = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    clean.set(piece, at);
    at += piece.length;
  }
  return clean;
}

function formatOf(bytes: Uint8Array): Format | undefined {
  return FORMATS.find((format) => format.is(bytes));
}

/** Brands of ISO media files that hold a picture (ISO/IEC 23008-12; AVIF 1.1). */
const HEIF = /^(?:hei[cxms]|hev[cx]|mif1|msf1)$/;

/** What the bytes are where they are something that people take for an image here; null for anything else. */
export function refusedKind(bytes: Uint8Array): string | null {
  const start = text(bytes, 0, Math.min(bytes.length, 4));
  if (text(bytes, 4, 4) === "ftyp") {
    const brand = text(bytes, 8, 4);
    if (/^avi[fs]$/.test(brand)) return "AVIF";
    return HEIF.test(brand) ? "HEIC" : "a video";
  }
  if (start === "II*\0" || start === "MM\0*") return "TIFF";
  if (start === "%PDF") return "PDF";
  if (start.startsWith("\xff\x0a") || text(bytes, 4, 4) === "JXL ") return "JPEG XL";
  if (start.startsWith("BM") && bytes.length > 26) return "BMP";
  if (start.startsWith("\x1f\x8b")) return "a compressed file";
  const words = text(bytes, 0, Math.min(bytes.length, 512)).replace(/^(?:ï»¿)?\s+/, "");
  if (/^<\?xml|^<svg|^<!--|^<!doctype svg/i.test(words) && /<svg/i.test(words)) return "SVG";
  return /^<!doctype html|^<html/i.test(words) ? "a web page" : null;
}
