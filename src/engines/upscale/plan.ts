import { type EncodedType, LONGEST_SIDE } from "../../images/encode.ts";

/** What an image is enlarged to, and in which steps. Pure. */

export interface Size {
  readonly width: number;
  readonly height: number;
}

export type Wish =
  | { readonly by: "factor"; readonly factor: number }
  /** To cover this size, and with `crop` to be cut to it. */
  | {
      readonly by: "size";
      readonly width: number;
      readonly height: number;
      readonly crop: boolean;
    };

export interface Plan {
  readonly enlarged: Size;
  /** What of it is kept, from its middle. */
  readonly kept: Size;
  readonly factor: number;
}

/** Most pixels of an image that comes in, and of one that goes out. */
export const MAX_INPUT_PIXELS = 16_777_216;
export const MAX_OUTPUT_PIXELS = 33_554_432;
/** Of what a network makes before it is brought down to the size that was asked for. */
export const MAX_STEP_PIXELS = 2 * MAX_OUTPUT_PIXELS;
export const MAX_FACTOR = 8;
/**
 * Most work of one image, in weights that pixels go through. Measured, a thread does about 80 thousand
 * million a second: more than 3 minutes are nobody's, since others share the thread that long.
 */
export const MAX_WORK = 1.6e13;

/** Why an image can't be enlarged so; for the caller, without a full stop. */
export class CannotEnlarge extends Error {
  override readonly name: string = "CannotEnlarge";
}

/** It is the image's own size that is too much, whatever it is enlarged to. */
export class TooMuchWork extends CannotEnlarge {
  override readonly name = "TooMuchWork";
}

/** It is the file's type that can't have it. */
export class CannotWrite extends CannotEnlarge {
  override readonly name = "CannotWrite";
}

/** Of an image that is left as it is, whatever size was asked for. */
export function unchanged({ width, height }: Size): Plan {
  const size = { width, height };
  return { enlarged: size, kept: size, factor: 1 };
}

/** @throws CannotWrite with the side that is longer than such a file can have */
export function refuseSides({ width, height }: Size, type: EncodedType): void {
  const most = LONGEST_SIDE[type];
  if (Math.max(width, height) <= most) return;
  const side = width > most ? `${width} pixels wide` : `${height} pixels high`;
  const format = type.slice("image/".length);
  throw new CannotWrite(
    `it would be ${side}, and ${format} has at most ${most} a side; ask for png, or for less`,
  );
}

/** Bytes of a file that is answered with: base64 and JSON twice hold it in memory until it is read. */
const MOST_FILE_BYTES = 90_000_000;

/** @throws CannotWrite for a file that is too large to be answered with; only the written one tells */
export function refuseFile(bytes: number, type: EncodedType): void {
  if (bytes <= MOST_FILE_BYTES) return;
  const format = type.slice("image/".length);
  const [is, most] = [Math.ceil(bytes / 1e6), MOST_FILE_BYTES / 1e6];
  throw new CannotWrite(
    `as ${format} the file has ${is} MB, and at most ${most} are sent; ask for jpeg or webp, or for less`,
  );
}

/** @throws CannotEnlarge beyond the bounds */
export function planOf(image: Size, wish: Wish): Plan {
  const factor =
    wish.by === "factor"
      ? wish.factor
      : Math.max(wish.width / image.width, wish.height / image.height);
  const enlarged = {
    width: Math.max(1, Math.round(image.width * factor)),
    height: Math.max(1, Math.round(image.height * factor)),
  };
  const kept =
    wish.by === "size" && wish.crop ? { width: wish.width, height: wish.height } : enlarged;
  const from = `${image.width} × ${image.height} pixels`;
  if (factor > MAX_FACTOR)
    throw new CannotEnlarge(
      `from ${from} that is ${factor.toFixed(1)} times, and at most ${MAX_FACTOR} times is done`,
    );
  if (enlarged.width * enlarged.height > MAX_OUTPUT_PIXELS)
    throw new CannotEnlarge(
      `${from} would become ${enlarged.width} × ${enlarged.height}, and at most ${millions(MAX_OUTPUT_PIXELS)} million pixels are made`,
    );
  return { enlarged, kept, factor };
}

/**
 * Which networks to use one after the other: the smallest that suffices, else two of them, the larger
 * one first (measured: 4 × then 2 × beats both 2 × then 4 × and 2 × three times). None for no enlargement.
 * @throws CannotEnlarge beyond the bounds
 */
export function chainOf(image: Size, factor: number, scales: readonly number[]): readonly number[] {
  if (factor <= 1) return [];
  const chain = shortestChain(factor, scales);
  const whole = chain.reduce((product, scale) => product * scale, 1);
  const pixels = image.width * image.height * whole ** 2;
  if (pixels > MAX_STEP_PIXELS)
    throw new CannotEnlarge(
      `the network enlarges it ${whole} times first, to more than ${millions(MAX_STEP_PIXELS)} million pixels; ask for a factor of ${scales.join(", ")} or send a smaller image`,
    );
  return chain;
}

/**
 * Refuses what would keep a model at work for too long.
 * @throws TooMuchWork with the largest image that may be sent
 */
export function refuseWork(
  image: Size,
  chains: readonly (readonly number[])[],
  weights: (scale: number) => number,
): void {
  const work = workOf(image, chains, weights);
  if (work <= MAX_WORK) return;
  const most = (MAX_WORK / work) * image.width * image.height;
  throw new TooMuchWork(
    `of ${image.width} × ${image.height} pixels that is the work of many minutes, and this upscaler takes at most ${millions(most)} million pixels so; send a smaller image, or ask for a quicker one of GET /v1/upscalers`,
  );
}

/**
 * The work of networks on an image, in weights that pixels go through.
 * @param chains the networks of each part of the work, by their scales
 * @param weights how many numbers the network of a scale has: about its multiplications for one pixel that comes in
 */
export function workOf(
  image: Size,
  chains: readonly (readonly number[])[],
  weights: (scale: number) => number,
): number {
  let perPixel = 0;
  for (const chain of chains) {
    let pixels = 1;
    for (const scale of chain) {
      perPixel += pixels * weights(scale);
      pixels *= scale ** 2;
    }
  }
  return image.width * image.height * perPixel;
}

function shortestChain(factor: number, scales: readonly number[]): readonly number[] {
  const single = Math.min(...scales.filter((scale) => scale >= factor));
  if (Number.isFinite(single)) return [single];
  const pairs = scales.flatMap((first) =>
    scales.filter((second) => second <= first).map((second) => [first, second]),
  );
  const product = ([first = 1, second = 1]: readonly number[]) => first * second;
  const enough = pairs.filter((pair) => product(pair) >= factor);
  const [best] = enough.toSorted((one, other) => product(one) - product(other));
  if (best === undefined) throw new CannotEnlarge(`this model enlarges ${scales.join(", ")} times`);
  return best;
}

/** Rounded down: what is told to be allowed is allowed. */
function millions(pixels: number): string {
  return (Math.floor(pixels / 1e5) / 10).toFixed(1);
}
