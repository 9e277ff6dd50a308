import { expect, test } from "bun:test";
import {
  convexHull,
  corners,
  facing,
  frameAt,
  inside,
  rotated,
  smallestRectangle,
} from "./geometry.ts";

const DEGREE = Math.PI / 180;

/** Points along the border and within a rectangle of 40 × 10 around (50, 30), turned. */
function turnedPoints(angle: number) {
  const points = [];
  for (let x = -20; x <= 20; x += 2)
    for (let y = -5; y <= 5; y++) {
      const turned = rotated({ x, y }, angle);
      points.push({ x: 50 + turned.x, y: 30 + turned.y });
    }
  return points;
}

test("the smallest rectangle around points of a turned rectangle is that rectangle", () => {
  for (const degrees of [0, 12, 45, 89, 120]) {
    const found = smallestRectangle(convexHull(turnedPoints(degrees * DEGREE)));
    expect(found.centre.x).toBeCloseTo(50, 6);
    expect(found.centre.y).toBeCloseTo(30, 6);
    const upright = facing(found, degrees * DEGREE);
    expect(upright.width).toBeCloseTo(40, 6);
    expect(upright.height).toBeCloseTo(10, 6);
  }
});

test("a rectangle faces whichever of its four directions is nearest, with its sides named after it", () => {
  const lying = { centre: { x: 0, y: 0 }, width: 40, height: 10, angle: 0 };
  expect(facing(lying, 100 * DEGREE)).toMatchObject({ width: 10, height: 40 });
  expect(facing(lying, 170 * DEGREE).angle).toBeCloseTo(Math.PI, 6);
});

test("corners go from where the text begins around clockwise, also upside down", () => {
  const box = { centre: { x: 10, y: 5 }, width: 20, height: 10, angle: 0 };
  expect(corners(box).map(({ x, y }) => [x, y])).toEqual([
    [0, 0],
    [20, 0],
    [20, 10],
    [0, 10],
  ]);
  const [first] = corners({ ...box, angle: Math.PI });
  expect(first.x).toBeCloseTo(20, 6);
  expect(first.y).toBeCloseTo(10, 6);
});

test("what is seen in an image looked at askew comes back to its place in the image", () => {
  const image = { width: 300, height: 200 };
  const frame = frameAt(image, 30 * DEGREE);
  const centre = { x: frame.width / 2, y: frame.height / 2 };
  const middle = inside(frame, { centre, width: 50, height: 10, angle: 0 });
  expect(middle.centre).toEqual({ x: 150, y: 100 });
  expect(middle.angle).toBeCloseTo(30 * DEGREE, 6);
  const right = { x: centre.x + 20, y: centre.y };
  const beside = inside(frame, { centre: right, width: 50, height: 10, angle: 0 });
  expect(beside.centre.x).toBeCloseTo(150 + 20 * Math.cos(30 * DEGREE), 6);
  expect(beside.centre.y).toBeCloseTo(100 + 20 * Math.sin(30 * DEGREE), 6);
});

test("points on one line, and a single one, have a rectangle too", () => {
  const line = smallestRectangle(
    convexHull([
      { x: 0, y: 0 },
      { x: 5, y: 0 },
      { x: 9, y: 0 },
    ]),
  );
  expect([line.width, line.height]).toEqual([9, 0]);
  expect(smallestRectangle(convexHull([{ x: 3, y: 4 }]))).toMatchObject({ width: 0, height: 0 });
});
