import { expect, test } from "bun:test";
import { visibleColours } from "./bleed.ts";
import type { Raster } from "./raster.ts";
import { resample } from "./resample.ts";

const pause = async () => undefined;

function image(width: number, channels: 1 | 3 | 4, bytes: readonly number[]): Raster {
  const height = bytes.length / width / channels;
  return { width, height, channels, pixels: Uint8Array.from(bytes) };
}

test("one colour stays that colour, larger and smaller", async () => {
  const plain = image(
    5,
    3,
    Array.from({ length: 45 }, (_, at) => [10, 128, 255][at % 3] ?? 0),
  );
  for (const [width, height] of [
    [17, 9],
    [2, 1],
    [5, 30],
  ] as const) {
    const { pixels } = await resample(plain, width, height, "lanczos", pause);
    expect(pixels.length).toBe(width * height * 3);
    expect([...new Set(pixels)].toSorted((a, b) => a - b)).toEqual([10, 128, 255]);
  }
});

const PILLOW_ENLARGED = [0, 13, 60, 146, 207, 169, 83, 27];
const PILLOW_REDUCED = [15, 165, 95];

/** Python 3.11, Pillow 10.1: `Image.fromarray(row).resize((8, 1), Image.LANCZOS)` of [0, 100, 200, 50]. */
test("a row enlarged is what Pillow's Lanczos makes of it", async () => {
  const row = image(4, 1, [0, 100, 200, 50]);
  const { pixels } = await resample(row, 8, 1, "lanczos", pause);
  expect([...pixels]).toEqual(PILLOW_ENLARGED);
  const small = await resample(image(8, 1, PILLOW_ENLARGED), 3, 1, "lanczos", pause);
  expect([...small.pixels]).toEqual(PILLOW_REDUCED);
});

test("repeated pixels are repeated", async () => {
  const row = image(2, 1, [7, 9]);
  expect([...(await resample(row, 6, 1, "nearest", pause)).pixels]).toEqual([7, 7, 7, 9, 9, 9]);
});

test("what can't be seen lends no colour to what can", async () => {
  const green = [0, 200, 0, 255];
  const hidden = [255, 0, 0, 0];
  const edge = image(4, 4, [...green, ...green, ...hidden, ...hidden]);
  const { pixels } = await resample(edge, 16, 1, "lanczos", pause);
  for (let at = 0; at < pixels.length; at += 4)
    if ((pixels[at + 3] ?? 0) > 2) expect(pixels[at]).toBeLessThan(3);
});

test("under what can't be seen lies the colour of what can, before a network sees it", () => {
  const green = [0, 200, 0, 255];
  const hidden = [255, 0, 0, 0];
  const edge = image(4, 4, [...green, ...hidden, ...hidden, ...hidden]);
  expect([...visibleColours(edge).pixels]).toEqual([0, 200, 0, 0, 200, 0, 0, 200, 0, 0, 200, 0]);
  const nothing = image(2, 4, [...hidden, ...hidden]);
  expect(visibleColours(nothing).pixels.length).toBe(6);
});
