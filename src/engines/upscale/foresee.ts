import type { ImageBounds } from "../../images/bounds.ts";
import type { EncodedType } from "../../images/encode.ts";
import type { Blend, Method, Upscalers } from "./enlarge.ts";
import {
  chainOf,
  MAX_INPUT_PIXELS,
  MAX_WORK,
  type Plan,
  planOf,
  refuseSides,
  refuseWork,
  type Size,
  unchanged,
  type Wish,
  workOf,
} from "./plan.ts";

/** What enlarging an image takes, known before a pixel of it is decoded. Pure. */
export interface Foreseen {
  readonly plan: Plan;
  /** Memory of its process, at most about; the networks' own is beside that. */
  readonly bytes: number;
  /** It takes more time or memory than one that others should have to make way for. */
  readonly isLong: boolean;
}

/** A tenth of the most: about 20 seconds of a thread that has nothing else to do. */
const SHORT_WORK = MAX_WORK / 10;
/** Of an image that is not long. */
export const SHORT_BYTES = 100_000_000;
/** Of all long ones together. Measured: what the largest takes. */
export const LONG_BYTES = 900_000_000;

/** Bytes for each pixel that comes in: while the colours are found that its alpha hides, and from then on. */
const PER_PIXEL_SEEN = 28;
const PER_PIXEL_IN = 8;
/** For each pixel that networks make. */
const PER_PIXEL_MADE = 3;
/** For each pixel of the image as enlarged, with alpha. */
const PER_PIXEL_ENLARGED = 4;
/** For each pixel that goes out: what is encoded, and the file. Measured: of WebP 15, and 33 with an alpha that is noise. */
const PER_PIXEL_OUT: Readonly<Record<EncodedType, number>> = {
  "image/png": 8,
  "image/jpeg": 8,
  "image/webp": 33,
};

/** @throws CannotEnlarge, TooMuchWork, CannotWrite beyond the bounds */
export function foresee(
  image: Size,
  {
    wish,
    method,
    blend,
    type,
  }: {
    readonly wish: Wish;
    readonly method: Method;
    readonly blend: Blend | null;
    readonly type: EncodedType;
  },
  { scales, weights }: Pick<Upscalers, "scales" | "weights">,
): Foreseen {
  const plan = method === "none" ? unchanged(image) : planOf(image, wish);
  refuseSides(plan.kept, type);
  if (method === "none") return { plan, ...sized(PER_PIXEL_OUT[type] * pixelsOf(image)) };
  const chains = [method, blend?.method]
    .filter((each) => each === "network")
    .map(() => chainOf(image, plan.factor, scales));
  refuseWork(image, chains, weights);
  const steps = chains.map((chain) => chain.reduce((product, scale) => product * scale, 1));
  const bytes = Math.max(
    PER_PIXEL_SEEN * pixelsOf(image),
    PER_PIXEL_IN * pixelsOf(image) +
      PER_PIXEL_MADE * pixelsOf(image) * Math.max(0, ...steps) ** 2 +
      PER_PIXEL_ENLARGED * pixelsOf(plan.enlarged) * (blend === null ? 1 : 2) +
      PER_PIXEL_OUT[type] * pixelsOf(plan.kept),
  );
  return { plan, ...sized(bytes, workOf(image, chains, weights)) };
}

function sized(bytes: number, work = 0): Pick<Foreseen, "bytes" | "isLong"> {
  return { bytes, isLong: bytes > SHORT_BYTES || work > SHORT_WORK };
}

/** What an image may be that is enlarged: no more pixels than there is memory for. */
export function upscaleBounds(bounds: ImageBounds): ImageBounds {
  return { ...bounds, maxPixels: Math.min(bounds.maxPixels, MAX_INPUT_PIXELS) };
}

function pixelsOf({ width, height }: Size): number {
  return width * height;
}
