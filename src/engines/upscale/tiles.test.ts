import { expect, test } from "bun:test";
import { emptyRaster, type Raster } from "./raster.ts";
import { type Enlarge, enlargeByTiles, tilesOf } from "./tiles.ts";

const pause = async () => undefined;

test("tiles cover an image once, read what lies around them, and are alike in size", () => {
  const tiles = tilesOf(300, 129, 128, 10);
  const seen = new Uint8Array(300 * 129);
  for (const { x, y, width, height, left, top, readWidth, readHeight } of tiles) {
    for (let row = y; row < y + height; row++)
      for (let column = x; column < x + width; column++) count(seen, row * 300 + column);
    expect([left, top]).toEqual([Math.max(0, x - 10), Math.max(0, y - 10)]);
    expect(left + readWidth).toBe(Math.min(300, x + width + 10));
    expect(top + readHeight).toBe(Math.min(129, y + height + 10));
    expect(width * height).toBeGreaterThan(99 * 63);
  }
  expect(tiles.length).toBe(6);
  expect(seen.every((times) => times === 1)).toBe(true);
});

/** Each pixel doubled, as the mean of its neighbours two pixels around it. */
const blurred: Enlarge = async ({ width, height, pixels }) => {
  const whole = emptyRaster(width * 2, height * 2, 3);
  for (let at = 0; at < whole.pixels.length; at++) {
    const [x, y] = [Math.floor(at / 3) % whole.width, Math.floor(at / 3 / whole.width)];
    let [sum, count] = [0, 0];
    for (let py = (y >> 1) - 2; py <= (y >> 1) + 2; py++)
      for (let px = (x >> 1) - 2; px <= (x >> 1) + 2; px++) {
        if (px < 0 || py < 0 || px >= width || py >= height) continue;
        sum += pixels[(py * width + px) * 3 + (at % 3)] ?? 0;
        count++;
      }
    whole.pixels[at] = Math.round(sum / count);
  }
  return whole;
};

function noise(width: number, height: number): Raster {
  let state = 7;
  const image = emptyRaster(width, height, 3);
  for (let at = 0; at < image.pixels.length; at++) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    image.pixels[at] = state >> 22;
  }
  return image;
}

test("with an overlap of what a pixel depends on, tiles are what one piece is", async () => {
  const image = noise(53, 37);
  const whole = await blurred(image);
  const tiled = await enlargeByTiles(image, 2, { side: 16, overlap: 2 }, blurred, pause);
  expect(Buffer.compare(tiled.pixels, whole.pixels)).toBe(0);
  const seamed = await enlargeByTiles(image, 2, { side: 16, overlap: 1 }, blurred, pause);
  expect(Buffer.compare(seamed.pixels, whole.pixels)).not.toBe(0);
});

test("between two tiles it can be stopped, and says how far it is", async () => {
  const told: number[] = [];
  const stop = async (done: number) => {
    told.push(done);
    if (told.length === 3) throw new Error("enough");
  };
  const image = noise(64, 64);
  const work = enlargeByTiles(image, 2, { side: 32, overlap: 2 }, blurred, stop);
  expect(work).rejects.toThrow("enough");
  await work.catch(() => undefined);
  expect(told).toEqual([0, 0.25, 0.5]);
});

function count(seen: Uint8Array, at: number): void {
  seen[at] = (seen[at] ?? 0) + 1;
}
