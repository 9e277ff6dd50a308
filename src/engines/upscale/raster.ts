/** Pixels in memory: rows from the top, a byte a channel. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  /** 1: alpha alone; 3: red green blue; 4: with alpha. */
  readonly channels: 1 | 3 | 4;
  /** `width * height * channels` bytes. */
  readonly pixels: Uint8Array;
}

/** Called between two steps of long work with how much of it is done, 0 to 1. Rejects where it should end. */
export type Pause = (done: number) => Promise<void>;

export function emptyRaster(width: number, height: number, channels: 1 | 3 | 4): Raster {
  return { width, height, channels, pixels: new Uint8Array(width * height * channels) };
}

/** Some of the channels of an image: the first `count` from `first` on. */
export function channelsOf(image: Raster, first: number, count: 1 | 3): Raster {
  const { width, height, channels, pixels } = image;
  const part = emptyRaster(width, height, count);
  for (let to = 0, from = first; to < part.pixels.length; from += channels)
    for (let channel = 0; channel < count; channel++, to++)
      part.pixels[to] = pixels[from + channel] ?? 0;
  return part;
}

/** Colours and alpha put together. */
export function withAlpha(colours: Raster, alpha: Raster): Raster {
  const whole = emptyRaster(colours.width, colours.height, 4);
  for (let at = 0, to = 0; at < alpha.pixels.length; at++, to += 4) {
    for (let channel = 0; channel < 3; channel++)
      whole.pixels[to + channel] = colours.pixels[at * 3 + channel] ?? 0;
    whole.pixels[to + 3] = alpha.pixels[at] ?? 0;
  }
  return whole;
}

/** The part in the middle that is at most so large. */
export function middle(image: Raster, width: number, height: number): Raster {
  const { channels, pixels } = image;
  if (image.width <= width && image.height <= height) return image;
  const part = emptyRaster(Math.min(width, image.width), Math.min(height, image.height), channels);
  const left = Math.floor((image.width - part.width) / 2);
  const top = Math.floor((image.height - part.height) / 2);
  for (let y = 0; y < part.height; y++) {
    const from = ((top + y) * image.width + left) * channels;
    part.pixels.set(pixels.subarray(from, from + part.width * channels), y * part.width * channels);
  }
  return part;
}

/** Bytes of an image that are worked on before others have their turn: about 30 ms. */
const BYTES_AT_ONCE = 4_000_000;

/**
 * Lays `share` of the second image over the first one, which is as large: in its memory, since two of the
 * largest are what there is room for. `pause` is told 1: all but this is done.
 */
export async function layOver(
  { pixels: under }: Raster,
  { pixels: over }: Raster,
  share: number,
  pause: Pause,
): Promise<void> {
  for (let from = 0; from < under.length; from += BYTES_AT_ONCE) {
    await pause(1);
    const end = Math.min(under.length, from + BYTES_AT_ONCE);
    // In a loop: `Uint8Array.from` holds all values as numbers besides, measured 2 GB of a large image.
    for (let at = from; at < end; at++) {
      const value = under[at] ?? 0;
      under[at] = Math.round(value + ((over[at] ?? value) - value) * share);
    }
  }
}
