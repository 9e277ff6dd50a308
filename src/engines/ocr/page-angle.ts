import { LONG } from "./detection.ts";
import { facing, normalAngle, type Rectangle } from "./geometry.ts";

const BIN = Math.PI / 180;
const BINS = 180;
/** Bins to each side that count as one direction. */
const NEAR = 3;

/**
 * The direction in which most of the text of a page runs, between -90° and 90°: whether forwards or
 * backwards is not to be seen in regions. Each long region counts by its length. 0 without any.
 */
export function textDirection(rectangles: readonly Rectangle[]): number {
  const long = rectangles.flatMap((rectangle) => {
    const { width, height } = rectangle;
    const [length, across] = [Math.max(width, height), Math.min(width, height)];
    if (length < LONG * across) return [];
    const along = width >= height ? rectangle.angle : rectangle.angle + Math.PI / 2;
    // Longer ones tell their angle more exactly.
    return [{ angle: halfTurn(along), weight: length }];
  });
  if (long.length === 0) return 0;
  const votes = new Float64Array(BINS);
  for (const { angle, weight } of long) {
    const bin = binOf(angle);
    votes[bin] = (votes[bin] ?? 0) + weight;
  }
  const support = Array.from(votes, (_, bin) => {
    let sum = 0;
    for (let offset = -NEAR; offset <= NEAR; offset++)
      sum += votes[(bin + offset + BINS) % BINS] ?? 0;
    return sum;
  });
  const peak = binCentre(support.indexOf(Math.max(...support)));
  let [sum, total] = [0, 0];
  for (const { angle, weight } of long) {
    const away = halfTurn(angle - peak);
    if (Math.abs(away) > (NEAR + 0.5) * BIN) continue;
    sum += away * weight;
    total += weight;
  }
  return halfTurn(peak + (total === 0 ? 0 : sum / total));
}

function binOf(angle: number): number {
  return Math.floor((angle + Math.PI / 2) / BIN) % BINS;
}

function binCentre(bin: number): number {
  return (bin + 0.5) * BIN - Math.PI / 2;
}

/** The same direction, forwards or backwards, from -90° up to 90°. */
function halfTurn(angle: number): number {
  const turned = angle - Math.PI * Math.round(angle / Math.PI);
  return turned >= Math.PI / 2 ? turned - Math.PI : turned;
}

/** A region many times as high as it is wide, on a page of this direction, may be a line that runs across it. */
const STANDS = 2.5;

/** Each region as its text is to be read where the page's text runs at `angle`. */
export function upright(rectangle: Rectangle, angle: number): Rectangle {
  const faced = facing(rectangle, angle);
  return { ...faced, angle: normalAngle(faced.angle) };
}

/** Whether an upright region may be a line that runs up or down the page. */
export function stands({ width, height }: Rectangle): boolean {
  return height >= STANDS * width;
}
