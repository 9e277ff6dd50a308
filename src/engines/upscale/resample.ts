import { emptyRaster, type Pause, type Raster } from "./raster.ts";

/**
 * Another size by Lanczos's kernel of three lobes, or by repeated pixels. Our own, since libvips (and
 * so sharp) enlarges by cubic interpolation whatever kernel is asked for. As Pillow's `LANCZOS`: the
 * kernel is stretched where the image is made smaller, and cut off at its edges. Transparent pixels'
 * colours count by their alpha. Only some rows are held besides both images.
 */
export async function resample(
  source: Raster,
  width: number,
  height: number,
  kernel: "lanczos" | "nearest",
  pause: Pause,
): Promise<Raster> {
  if (source.width === width && source.height === height) return source;
  const target = emptyRaster(width, height, source.channels);
  const across = tapsOf(source.width, width, kernel);
  const down = tapsOf(source.height, height, kernel);
  const rows = new Map<number, Float32Array>();
  const sum = new Float32Array(width * source.channels);
  for (let y = 0; y < height; y++) {
    if (y % ROWS_AT_ONCE === 0) await pause(y / height);
    const { first, weights } = down[y] ?? NO_TAPS;
    for (const row of rows.keys()) if (row < first) rows.delete(row);
    sum.fill(0);
    for (let tap = 0; tap < weights.length; tap++) {
      let row = rows.get(first + tap);
      if (row === undefined) {
        row = resampledRow(source, first + tap, across);
        rows.set(first + tap, row);
      }
      const weight = weights[tap] ?? 0;
      for (let at = 0; at < sum.length; at++) sum[at] = (sum[at] ?? 0) + weight * (row[at] ?? 0);
    }
    writeRow(target, y, sum);
  }
  return target;
}

const ROWS_AT_ONCE = 64;
const LOBES = 3;

/** Which pixels, from the first one on, make up one, and how much each counts. */
interface Taps {
  readonly first: number;
  readonly weights: Float32Array;
}
const NO_TAPS: Taps = { first: 0, weights: new Float32Array() };

function tapsOf(from: number, to: number, kernel: "lanczos" | "nearest"): Taps[] {
  const ratio = from / to;
  const stretch = Math.max(1, ratio);
  return Array.from({ length: to }, (_, place): Taps => {
    const centre = (place + 0.5) * ratio;
    if (kernel === "nearest")
      return { first: Math.min(from - 1, Math.floor(centre)), weights: Float32Array.of(1) };
    const first = Math.max(0, Math.round(centre - LOBES * stretch));
    const end = Math.min(from, Math.round(centre + LOBES * stretch));
    const weights = new Float32Array(end - first);
    let sum = 0;
    for (let tap = 0; tap < weights.length; tap++) {
      const weight = lanczos((first + tap + 0.5 - centre) / stretch);
      weights[tap] = weight;
      sum += weight;
    }
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

function lanczos(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= LOBES) return 0;
  const angle = Math.PI * x;
  return (LOBES * Math.sin(angle) * Math.sin(angle / LOBES)) / (angle * angle);
}

/** One row in its new width; colours multiplied by their alpha. */
function resampledRow({ width, channels, pixels }: Raster, y: number, across: readonly Taps[]) {
  const row = new Float32Array(across.length * channels);
  const line = new Float32Array(width * channels);
  const from = y * width * channels;
  for (let at = 0; at < line.length; at++) line[at] = pixels[from + at] ?? 0;
  if (channels === 4)
    for (let at = 0; at < line.length; at += 4) {
      const alpha = (line[at + 3] ?? 0) / 255;
      for (let channel = 0; channel < 3; channel++)
        line[at + channel] = (line[at + channel] ?? 0) * alpha;
    }
  for (let x = 0; x < across.length; x++) {
    const { first, weights } = across[x] ?? NO_TAPS;
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0;
      let at = first * channels + channel;
      for (let tap = 0; tap < weights.length; tap++, at += channels)
        sum += (weights[tap] ?? 0) * (line[at] ?? 0);
      row[x * channels + channel] = sum;
    }
  }
  return row;
}

function writeRow({ width, channels, pixels }: Raster, y: number, sum: Float32Array): void {
  const to = y * width * channels;
  if (channels === 4)
    for (let at = 0; at < sum.length; at += 4) {
      const alpha = Math.min(255, Math.max(0, sum[at + 3] ?? 0));
      for (let channel = 0; channel < 3; channel++)
        sum[at + channel] = alpha < 0.5 ? 0 : ((sum[at + channel] ?? 0) * 255) / alpha;
    }
  for (let at = 0; at < sum.length; at++)
    pixels[to + at] = Math.min(255, Math.max(0, Math.round(sum[at] ?? 0)));
}
