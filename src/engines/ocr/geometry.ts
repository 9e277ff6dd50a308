/** Plane geometry in pixels: x to the right, y down, angles in radians, clockwise as seen. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A rectangle at any angle. `angle` is the direction of the side that `width` measures. */
export interface Rectangle {
  readonly centre: Point;
  readonly width: number;
  readonly height: number;
  readonly angle: number;
}

/** The smallest convex polygon around points (Andrew's monotone chain). */
export function convexHull(points: readonly Point[]): readonly Point[] {
  const sorted = [...points].sort((a, b) => a.x - b.x || a.y - b.y);
  if (sorted.length < 3) return sorted;
  return [...halfHull(sorted), ...halfHull(sorted.reverse())];
}

function halfHull(sorted: readonly Point[]): Point[] {
  const hull: Point[] = [];
  for (const point of sorted) {
    while (hull.length > 1) {
      const [a, b] = [hull.at(-2), hull.at(-1)];
      if (a === undefined || b === undefined || turn(a, b, point) > 0) break;
      hull.pop();
    }
    hull.push(point);
  }
  hull.pop();
  return hull;
}

function turn(a: Point, b: Point, c: Point): number {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

/** The rectangle of least area around a convex polygon: one of its sides lies on one of the polygon's. */
export function smallestRectangle(hull: readonly Point[]): Rectangle {
  let best: Rectangle = around(hull, 0);
  hull.forEach((point, index) => {
    const next = hull[(index + 1) % hull.length] ?? point;
    const angle = Math.atan2(next.y - point.y, next.x - point.x);
    const rectangle = around(hull, angle);
    if (rectangle.width * rectangle.height < best.width * best.height) best = rectangle;
  });
  return best;
}

/** The least rectangle at an angle around points. */
export function around(points: readonly Point[], angle: number): Rectangle {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const point of points) {
    const { x, y } = rotated(point, -angle);
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  const centre = rotated({ x: (left + right) / 2, y: (top + bottom) / 2 }, angle);
  return { centre, width: right - left, height: bottom - top, angle };
}

/** A point turned around the origin. */
export function rotated({ x, y }: Point, angle: number): Point {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return { x: x * cos - y * sin, y: x * sin + y * cos };
}

/** The same rectangle, described by the one of its four directions that is nearest to `wanted`. */
export function facing(rectangle: Rectangle, wanted: number): Rectangle {
  const quarters = Math.round((wanted - rectangle.angle) / (Math.PI / 2));
  const { centre, width, height, angle } = rectangle;
  const turned = angle + (quarters * Math.PI) / 2;
  return quarters % 2 === 0
    ? { centre, width, height, angle: turned }
    : { centre, width: height, height: width, angle: turned };
}

/** Its corners, from where its text begins: top left, top right, bottom right, bottom left. */
export function corners(rectangle: Rectangle): readonly [Point, Point, Point, Point] {
  const { centre, width, height, angle } = rectangle;
  const corner = (x: number, y: number): Point => {
    const offset = rotated({ x: (x * width) / 2, y: (y * height) / 2 }, angle);
    return { x: centre.x + offset.x, y: centre.y + offset.y };
  };
  return [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)];
}

/** An angle's equal between -180° and 180°. */
export function normalAngle(angle: number): number {
  return angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));
}

/** The least rectangle at an angle that has all of an image in it. */
export function frameAt(
  { width, height }: { readonly width: number; readonly height: number },
  angle: number,
): Rectangle {
  const [cos, sin] = [Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle))];
  return {
    centre: { x: width / 2, y: height / 2 },
    width: width * cos + height * sin,
    height: width * sin + height * cos,
    angle,
  };
}

/** What is a rectangle in the frame's own pixels, from its top left corner, in the image's. */
export function inside(frame: Rectangle, { centre, width, height, angle }: Rectangle): Rectangle {
  return { centre: pointInside(frame, centre), width, height, angle: angle + frame.angle };
}

/** The same of a point. */
export function pointInside(frame: Rectangle, { x, y }: Point): Point {
  const offset = rotated({ x: x - frame.width / 2, y: y - frame.height / 2 }, frame.angle);
  return { x: frame.centre.x + offset.x, y: frame.centre.y + offset.y };
}
