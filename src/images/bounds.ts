import { type ImageFacts, imageFacts, refusedKind } from "./facts.ts";

/** How large an image may be. All of it is checked before a pixel is decoded. */
export interface ImageBounds {
  readonly maxBytes: number;
  /** Width times height of one frame. */
  readonly maxPixels: number;
  /** The longer side through the shorter one. Models for pictures refuse more, as Qwen2-VL does. */
  readonly maxAspect: number;
  /** Only the first is ever decoded; a long animation costs those who get the file. */
  readonly maxFrames: number;
}

export const DEFAULT_BOUNDS: ImageBounds = {
  maxBytes: 20_000_000,
  maxPixels: 40_000_000,
  maxAspect: 200,
  maxFrames: 1_000,
};

/**
 * A JPEG in more scans is no photograph: encoders make a dozen. A decoder goes over all pixels for each,
 * and can't be told to stop.
 */
const MAX_SCANS = 100;

/** Why some bytes can't be used as an image; the message is for the caller, without a full stop. */
export class ImageRefused extends Error {
  override readonly name = "ImageRefused";
}

/**
 * What an image within the bounds is. By its content alone: names and declared types count for nothing.
 * @throws ImageRefused
 */
export function checkedFacts(bytes: Uint8Array, bounds: ImageBounds = DEFAULT_BOUNDS): ImageFacts {
  const { maxBytes, maxPixels, maxAspect, maxFrames } = bounds;
  if (bytes.length > maxBytes) throw tooManyBytes(bounds);
  const facts = imageFacts(bytes);
  if (facts === null) {
    const kind = refusedKind(bytes);
    throw new ImageRefused(`it is ${kind === null ? "" : `${kind}, and `}no ${TAKEN} image`);
  }
  const { width, height, frames, scans } = facts;
  const size = `the image has ${width} × ${height} pixels`;
  if (width * height > maxPixels)
    throw new ImageRefused(`${size}, and at most ${millions(maxPixels)} million pixels are taken`);
  if (Math.max(width, height) > maxAspect * Math.min(width, height))
    throw new ImageRefused(`${size}: one side may be at most ${maxAspect} times the other`);
  if (frames > maxFrames)
    throw new ImageRefused(`the image has more than ${maxFrames} frames; send one of them`);
  if (scans > MAX_SCANS)
    throw new ImageRefused(`the image is a JPEG in more than ${MAX_SCANS} scans; write it anew`);
  return facts;
}

export function tooManyBytes({ maxBytes }: ImageBounds): ImageRefused {
  return new ImageRefused(`the image is larger than ${maxBytes / 1e6} MB`);
}

/** Rounded down: what is told to be allowed is allowed. */
function millions(pixels: number): number {
  return pixels < 1e6 ? pixels / 1e6 : Math.floor(pixels / 1e5) / 10;
}

const TAKEN = "PNG, JPEG, GIF or WebP";
