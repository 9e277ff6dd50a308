import { expect, test } from "bun:test";
import { rotated } from "./geometry.ts";
import { stands, textDirection, upright } from "./page-angle.ts";

const DEGREE = Math.PI / 180;

/** Lines of a page, turned by degrees; `askew` is what single ones are off. */
function page(degrees: number, askew: readonly number[] = [0, 0.4, -0.3, 0.1]) {
  return askew.map((off, index) => ({
    centre: rotated({ x: 0, y: index * 30 }, degrees * DEGREE),
    width: 400,
    height: 20,
    angle: (degrees + off) * DEGREE,
  }));
}

test("the direction of a page is that of its lines, between -90° and 90°", () => {
  for (const degrees of [0, 3.2, -7, 45, 89, -89])
    expect(Math.abs(textDirection(page(degrees)) / DEGREE - degrees)).toBeLessThan(0.3);
  expect(textDirection(page(200)) / DEGREE).toBeCloseTo(20, 0);
});

test("a line across, short pieces and noise change nothing", () => {
  const across = { centre: { x: 0, y: 0 }, width: 300, height: 20, angle: Math.PI / 2 };
  const dot = { centre: { x: 0, y: 0 }, width: 20, height: 18, angle: 0.7 };
  expect(textDirection([...page(5), across, dot, dot]) / DEGREE).toBeCloseTo(5, 0);
  expect(textDirection([dot, dot])).toBe(0);
});

test("a region described by its short side is named by its long one once upright", () => {
  const region = { centre: { x: 0, y: 0 }, width: 20, height: 400, angle: -88 * DEGREE };
  expect(upright(region, 0)).toMatchObject({ width: 400, height: 20 });
  expect(stands(upright(region, 0))).toBe(false);
  expect(stands(upright(region, Math.PI / 2))).toBe(true);
});
