import type { Raster } from "../../src/engines/upscale/raster.ts";
import { resample } from "../../src/engines/upscale/resample.ts";

/** How near an image comes to the one it should be, by its luma (ITU-R BT.601), as in the literature. */
export interface Likeness {
  /** Decibels; more is nearer. */
  readonly psnr: number;
  /** Mean structural similarity (Wang et al. 2004) of windows of 8 × 8 pixels; 1 is the same. */
  readonly ssim: number;
}

const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;
const WINDOW = 8;
const STEP = 4;

/** @param margin pixels at each edge that don't count */
export function likeness(one: Raster, other: Raster, margin: number): Likeness {
  const [a, b] = [luma(one), luma(other)];
  const { width, height } = one;
  let squares = 0;
  let pixels = 0;
  for (let y = margin; y < height - margin; y++)
    for (let x = margin; x < width - margin; x++) {
      squares += ((a[y * width + x] ?? 0) - (b[y * width + x] ?? 0)) ** 2;
      pixels++;
    }
  let sum = 0;
  let windows = 0;
  for (let y = margin; y + WINDOW <= height - margin; y += STEP)
    for (let x = margin; x + WINDOW <= width - margin; x += STEP) {
      sum += similarity(a, b, width, x, y);
      windows++;
    }
  return { psnr: 10 * Math.log10(255 ** 2 / (squares / pixels)), ssim: sum / windows };
}

function luma({ pixels, channels }: Raster): Float64Array {
  const values = new Float64Array(pixels.length / channels);
  for (let at = 0; at < values.length; at++) {
    const [red = 0, green = 0, blue = 0] = pixels.subarray(at * channels, at * channels + 3);
    values[at] = 16 + (65.481 * red + 128.553 * green + 24.966 * blue) / 255;
  }
  return values;
}

function similarity(a: Float64Array, b: Float64Array, width: number, left: number, top: number) {
  let [sumA, sumB, squaresA, squaresB, products] = [0, 0, 0, 0, 0];
  for (let y = top; y < top + WINDOW; y++)
    for (let x = left; x < left + WINDOW; x++) {
      const [p, q] = [a[y * width + x] ?? 0, b[y * width + x] ?? 0];
      sumA += p;
      sumB += q;
      squaresA += p * p;
      squaresB += q * q;
      products += p * q;
    }
  const count = WINDOW ** 2;
  const [meanA, meanB] = [sumA / count, sumB / count];
  const varianceA = squaresA / count - meanA ** 2;
  const varianceB = squaresB / count - meanB ** 2;
  const covariance = products / count - meanA * meanB;
  const light = (2 * meanA * meanB + C1) / (meanA ** 2 + meanB ** 2 + C1);
  return (light * (2 * covariance + C2)) / (varianceA + varianceB + C2);
}

/** The part of an image from its corner whose sides the factor divides. */
export function divisible({ width, height, channels, pixels }: Raster, factor: number): Raster {
  const [across, down] = [width, height].map((side) => Math.floor(side / factor) * factor);
  const part = { width: across ?? 0, height: down ?? 0, channels };
  const rows = Array.from({ length: part.height }, (_, y) =>
    pixels.subarray(y * width * channels, (y * width + part.width) * channels),
  );
  return { ...part, pixels: new Uint8Array(Buffer.concat(rows)) };
}

/** So many times as small, as cameras and image programs do it. */
export function reduced(image: Raster, factor: number): Promise<Raster> {
  const { width, height } = image;
  return resample(image, width / factor, height / factor, "lanczos", async () => undefined);
}
