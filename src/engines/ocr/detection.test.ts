import { expect, test } from "bun:test";
import { detectionSize, rectangleAt, regionsOf } from "./detection.ts";
import { frameAt } from "./geometry.ts";

test("an image is looked at in multiples of 32, within the pixels there may be, in its own shape", () => {
  expect(detectionSize(1120, 800, 2e6)).toEqual({ width: 1120, height: 800 });
  expect(detectionSize(10, 10, 2e6)).toEqual({ width: 32, height: 32 });
  const { width, height } = detectionSize(8_000, 4_000, 2e6);
  expect(width * height).toBeLessThan(2.1e6);
  expect(width / height).toBeCloseTo(2, 1);
  expect(detectionSize(300, 200, 2e6, 2)).toEqual({ width: 608, height: 416 });
});

/** A map of 64 × 64 with likely pixels in these rectangles. */
function mapOf(
  ...filled: readonly (readonly [x: number, y: number, w: number, h: number, p: number])[]
) {
  const data = new Float32Array(64 * 64);
  for (const [x, y, w, h, p] of filled)
    for (let row = y; row < y + h; row++) data.fill(p, row * 64 + x, row * 64 + x + w);
  return { data, width: 64, height: 64 };
}
const frame = frameAt({ width: 128, height: 128 }, 0);

test("a region is grown by its area over its perimeter, and told in the image's pixels", () => {
  const [region] = regionsOf(mapOf([10, 20, 40, 6, 0.9]), frame);
  const by = (80 * 12 * 1.8) / (2 * (80 + 12));
  expect(region?.rectangle.centre).toEqual({ x: 60, y: 46 });
  expect(region?.rectangle.width).toBeCloseTo(80 + 2 * by, 4);
  expect(region?.rectangle.height).toBeCloseTo(12 + 2 * by, 4);
});

test("unlikely regions and specks are none", () => {
  expect(regionsOf(mapOf([10, 20, 40, 6, 0.5]), frame)).toEqual([]);
  expect(regionsOf(mapOf([10, 20, 2, 2, 0.99]), frame)).toEqual([]);
  expect(regionsOf(mapOf([10, 20, 20, 8, 0.9], [32, 22, 3, 3, 0.9]), frame)).toHaveLength(1);
});

test("a short region lies as its page does, a long one as it does itself", () => {
  const [short, long] = regionsOf(mapOf([4, 4, 8, 8, 0.9], [4, 30, 40, 6, 0.9]), frame).toSorted(
    (a, b) => a.rectangle.width - b.rectangle.width,
  );
  if (short === undefined || long === undefined) throw new Error("regions are missing");
  expect(rectangleAt(short, 0.3).angle).toBe(0.3);
  expect(rectangleAt(long, 0.3)).toBe(long.rectangle);
});
