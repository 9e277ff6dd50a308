import type { ImageFacts, Orientation } from "./facts.ts";

/** The largest image that somebody takes; null where nobody said. */
export interface ImageLimits {
  /** Pixels of the longer side. */
  readonly maxSide: number | null;
  readonly maxPixels: number | null;
  /** Of the file, before it becomes base64. */
  readonly maxBytes: number | null;
}

export const NO_LIMITS: ImageLimits = { maxSide: null, maxPixels: null, maxBytes: null };

/** What an image is to be made into. */
export interface Refit {
  /** Of the image that stands upright. */
  readonly width: number;
  readonly height: number;
  /** `auto`: PNG where it has alpha, else JPEG. */
  readonly type: "image/png" | "image/jpeg" | "auto";
  readonly maxBytes: number | null;
}

/**
 * What has to be done for an image to keep the limits and to stand upright; null where it can stay as
 * it is. Sides are scaled alike. What lost nothing before stays without loss, as long as it is
 * small enough.
 */
export function refitOf(facts: ImageFacts, bytes: number, limits: ImageLimits): Refit | null {
  const { type, orientation } = facts;
  const { width, height } = uprightSize(facts);
  const scale = Math.min(
    1,
    (limits.maxSide ?? Number.POSITIVE_INFINITY) / Math.max(width, height),
    Math.sqrt((limits.maxPixels ?? Number.POSITIVE_INFINITY) / (width * height)),
  );
  const isHeavy = limits.maxBytes !== null && bytes > limits.maxBytes;
  if (scale === 1 && !isHeavy && orientation === 1) return null;
  return {
    width: Math.max(1, Math.floor(width * scale)),
    height: Math.max(1, Math.floor(height * scale)),
    type: type === "image/webp" ? "auto" : type === "image/jpeg" ? type : "image/png",
    maxBytes: limits.maxBytes,
  };
}

const ON_ITS_SIDE: ReadonlySet<Orientation> = new Set([5, 6, 7, 8]);

/** Width and height once it stands upright. */
export function uprightSize({
  width,
  height,
  orientation,
}: Pick<ImageFacts, "width" | "height" | "orientation">): { width: number; height: number } {
  return ON_ITS_SIDE.has(orientation) ? { width: height, height: width } : { width, height };
}
