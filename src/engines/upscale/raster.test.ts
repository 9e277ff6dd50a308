import { expect, test } from "bun:test";
import { emptyRaster, layOver, type Raster } from "./raster.ts";

function grey(side: number, value: number): Raster {
  const image = emptyRaster(side, side, 4);
  image.pixels.fill(value);
  return image;
}

test("one image is laid over another by its share, in the other's memory, a piece at a time", async () => {
  const [under, over] = [grey(1_500, 10), grey(1_500, 21)];
  const { pixels } = under;
  let pauses = 0;
  await layOver(under, over, 0.25, async () => {
    pauses++;
  });
  expect(under.pixels).toBe(pixels);
  expect(new Set(pixels)).toEqual(new Set([13]));
  expect(pauses).toBeGreaterThan(1);
});

test("who leaves meanwhile is let go at the next piece", async () => {
  const gone = layOver(grey(10, 1), grey(10, 2), 1, () => Promise.reject(new Error("gone")));
  await expect(gone).rejects.toThrow("gone");
});
