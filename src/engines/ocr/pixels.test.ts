import { expect, test } from "bun:test";
import { crop } from "./crop.ts";
import { onPaper, type Pixels, resizedPlanes } from "./pixels.ts";

/** Numbers as they are: a byte stays a byte. */
const AS_IS = { mean: [0, 0, 0], deviation: [1 / 255, 1 / 255, 1 / 255] } as const;

/** Grey, as a function of the place. */
function image(width: number, height: number, grey: (x: number, y: number) => number): Pixels {
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      data.fill(grey(x, y), 3 * (y * width + x), 3 * (y * width + x) + 3);
  return { width, height, data };
}

test("an image in its own size is the same image, blue plane first", () => {
  const data = Uint8Array.from([1, 2, 3, 4, 5, 6]);
  const planes = resizedPlanes({ width: 2, height: 1, data }, 2, 1, AS_IS);
  expect([...planes.data].map(Math.round)).toEqual([3, 6, 2, 5, 1, 4]);
});

test("half the size has the mean of what was there, and no stripes", () => {
  const stripes = image(64, 64, (x) => (x % 2 === 0 ? 0 : 200));
  const { data } = resizedPlanes(stripes, 32, 32, AS_IS);
  const inner = Array.from({ length: 30 }, (_, i) => data[16 * 32 + i + 1] ?? 0);
  for (const value of inner) expect(Math.abs(value - 100)).toBeLessThan(15);
});

test("a crop along the pixels is those pixels, and one turned by 180° is them backwards", () => {
  const slope = image(10, 10, (x, y) => 20 * x + y);
  const box = { centre: { x: 5, y: 5 }, width: 4, height: 2, angle: 0 };
  const forwards = crop(slope, box, 4, 2, AS_IS).data.slice(0, 8);
  expect([...forwards].map(Math.round)).toEqual([64, 84, 104, 124, 65, 85, 105, 125]);
  const backwards = crop(slope, { ...box, angle: Math.PI }, 4, 2, AS_IS).data.slice(0, 8);
  expect([...backwards].map(Math.round)).toEqual([125, 105, 85, 65, 124, 104, 84, 64]);
});

test("beside the image a crop repeats its border", () => {
  const white = image(4, 4, () => 255);
  const { data } = crop(
    white,
    { centre: { x: 0, y: 0 }, width: 20, height: 20, angle: 1 },
    8,
    8,
    AS_IS,
  );
  expect([...data].every((value) => Math.round(value) === 255)).toBe(true);
});

test("what is transparent around dark pixels is white, and what is half so half", () => {
  const pixels = Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 128, 10, 20, 30, 255]);
  const { data } = onPaper({ width: 3, height: 1, channels: 4, pixels });
  expect([...data]).toEqual([255, 255, 255, 127, 127, 127, 10, 20, 30]);
});

test("what is transparent around bright pixels is black, whatever colour it has where it is not seen", () => {
  const pixels = Uint8Array.from([0, 0, 0, 0, 255, 255, 255, 128, 250, 240, 230, 255, 9, 9, 9, 0]);
  const { data } = onPaper({ width: 4, height: 1, channels: 4, pixels });
  expect([...data]).toEqual([0, 0, 0, 128, 128, 128, 250, 240, 230, 0, 0, 0]);
});

test("what is all transparent is white", () => {
  const { data } = onPaper({ width: 1, height: 1, channels: 4, pixels: new Uint8Array(4) });
  expect([...data]).toEqual([255, 255, 255]);
});
