/** An image as rows of red, green and blue bytes. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** What a model takes: three planes of floats, blue first, as its makers' OpenCV had them. */
export interface Planes {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** How a byte becomes a model's number: (byte / 255 - mean) / deviation, for each plane. */
export interface Scale {
  readonly mean: readonly [number, number, number];
  readonly deviation: readonly [number, number, number];
}

/** The weights of source pixels that make one pixel of another size: their mean when it shrinks, bilinear when it grows. */
interface Tap {
  readonly from: number;
  readonly weights: readonly number[];
}

/** The whole image in another size, as planes. */
export function resizedPlanes(image: Pixels, width: number, height: number, scale: Scale): Planes {
  const columns = taps(image.width, width);
  const rows = taps(image.height, height);
  const data = new Float32Array(3 * width * height);
  const line = new Float32Array(3 * image.width);
  const stride = 3 * image.width;
  rows.forEach((row, y) => {
    line.fill(0);
    row.weights.forEach((weight, index) => {
      const at = (row.from + index) * stride;
      for (let i = 0; i < stride; i++)
        line[i] = (line[i] ?? 0) + weight * (image.data[at + i] ?? 0);
    });
    for (let channel = 0; channel < 3; channel++) {
      const { factor, offset } = scaled(scale, channel);
      const at = channel * width * height + y * width;
      columns.forEach((column, x) => {
        let value = 0;
        let i = 3 * column.from + 2 - channel;
        for (const weight of column.weights) {
          value += weight * (line[i] ?? 0);
          i += 3;
        }
        data[at + x] = value * factor + offset;
      });
    }
  });
  return { width, height, data };
}

/** A plane's byte times `factor` plus `offset` is the model's number. */
export function scaled(scale: Scale, channel: number): { factor: number; offset: number } {
  const deviation = scale.deviation[channel] ?? 1;
  return { factor: 1 / 255 / deviation, offset: -(scale.mean[channel] ?? 0) / deviation };
}

function taps(from: number, to: number): readonly Tap[] {
  const ratio = from / to;
  return Array.from({ length: to }, (_, index) => {
    const centre = (index + 0.5) * ratio;
    const reach = Math.max(1, ratio);
    // A triangle of this width: what a bilinear filter is, widened by the shrinking.
    const first = Math.max(0, Math.floor(centre - reach));
    const last = Math.min(from - 1, Math.ceil(centre + reach) - 1);
    const weights: number[] = [];
    for (let i = first; i <= last; i++)
      weights.push(Math.max(0, 1 - Math.abs(i + 0.5 - centre) / reach));
    const sum = weights.reduce((all, weight) => all + weight, 0);
    return { from: first, weights: weights.map((weight) => weight / sum) };
  });
}

/**
 * Decoded pixels without their alpha channel, as they look on paper: black where what is seen is bright,
 * such as white letters on nothing, and else white.
 */
export function onPaper({
  width,
  height,
  channels,
  pixels,
}: {
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
  readonly pixels: Uint8Array;
}): Pixels {
  if (channels === 3) return { width, height, data: pixels };
  const data = new Uint8Array(3 * width * height);
  const paper = isBright(pixels) ? 0 : 255;
  for (let from = 0, to = 0; to < data.length; from += 4, to += 3) {
    const alpha = pixels[from + 3] ?? 255;
    for (let i = 0; i < 3; i++)
      data[to + i] = Math.round((paper * (255 - alpha) + (pixels[from + i] ?? 0) * alpha) / 255);
  }
  return { width, height, data };
}

/** Whether the mean luma (ITU-R BT.601) of what is seen is above the middle; each pixel counts by its alpha. */
function isBright(pixels: Uint8Array): boolean {
  let [seen, luma] = [0, 0];
  for (let at = 0; at < pixels.length; at += 4) {
    const alpha = pixels[at + 3] ?? 0;
    const [red = 0, green = 0, blue = 0] = [pixels[at], pixels[at + 1], pixels[at + 2]];
    seen += alpha;
    luma += alpha * (299 * red + 587 * green + 114 * blue);
  }
  return luma > 127_500 * seen;
}
