import type { UpscaleInfo } from "../contract/upscale.ts";
import { imageFacts } from "../images/facts.ts";
import { uprightSize } from "../images/fit.ts";
import { type Fields, textOf } from "./fields.ts";

/** An enlarged image as a provider answered it. */
export interface UpscaledImage {
  /** Without a data URI's head. */
  readonly base64: string;
  readonly format: UpscaleInfo["format"];
  /** Pixels, upright. */
  readonly width: number;
  readonly height: number;
}

const FORMATS: Readonly<Record<string, UpscaleInfo["format"]>> = {
  "image/png": "png",
  "image/jpeg": "jpeg",
  "image/webp": "webp",
};

/** The file's bytes: more than the largest PNG of which a gateway here would answer. */
const MAX_BYTES = 90_000_000;
const HEAD = /^data:[^,]{0,200};base64,/i;

/**
 * The image in an answer, under `image` as web UIs have it or first of `images` as Arli AI does; null for
 * one that is no whole PNG, JPEG or WebP. By its content alone, without decoding it.
 */
export function upscaledImage(answer: Fields): UpscaledImage | null {
  const [first] = Array.isArray(answer.images) ? answer.images : [];
  const sent = textOf(answer, "image") ?? (typeof first === "string" ? first : null);
  if (sent === null) return null;
  const base64 = sent.slice(HEAD.exec(sent.slice(0, 300))?.[0].length ?? 0);
  const bytes = bytesOf(base64);
  if (bytes === null || bytes.length > MAX_BYTES) return null;
  const facts = imageFacts(bytes);
  const format = facts === null ? undefined : FORMATS[facts.type];
  if (facts === null || format === undefined || !isWhole(bytes, format)) return null;
  const { width, height } = uprightSize(facts);
  return {
    base64: /^[A-Za-z0-9+/=]*$/.test(base64) ? base64 : bytes.toBase64(),
    format,
    width,
    height,
  };
}

function bytesOf(base64: string): Uint8Array | null {
  try {
    return Uint8Array.fromBase64(base64);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const PNG_END = Uint8Array.of(0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82);
const JPEG_END = Uint8Array.of(0xff, 0xd9);
/** Some servers write a few bytes behind an image's end. */
const SLACK = 64;

/** Whether its end is there: what was cut off on the way still has a good beginning. */
function isWhole(bytes: Uint8Array<ArrayBufferLike>, format: UpscaleInfo["format"]): boolean {
  const tail = Buffer.from(bytes.subarray(-SLACK));
  if (format === "png") return tail.includes(PNG_END);
  if (format === "jpeg") return tail.includes(JPEG_END);
  // RIFF says how many bytes follow its own eight.
  const { buffer, byteOffset, byteLength } = bytes;
  return new DataView(buffer, byteOffset, byteLength).getUint32(4, true) + 8 <= byteLength;
}
