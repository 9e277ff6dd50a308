import { components } from "./components.ts";
import {
  around,
  convexHull,
  inside,
  type Point,
  pointInside,
  type Rectangle,
  rotated,
  smallestRectangle,
} from "./geometry.ts";
import type { Scale } from "./pixels.ts";

/**
 * Finding text: what goes into the detection network and what its map means. The network tells for
 * each pixel how likely it lies in the shrunk middle of a line of text ("Real-time Scene Text
 * Detection with Differentiable Binarization", Liao et al. 2020); the numbers are PP-OCRv4's.
 */
export const DETECTION_SCALE: Scale = {
  mean: [0.485, 0.456, 0.406],
  deviation: [0.229, 0.224, 0.225],
};
/** What the network's input must be a multiple of. */
const GRID = 32;
/** Likelihood of a pixel. */
const THRESHOLD = 0.3;
/** Mean likelihood of a region. */
const LIKELY = 0.6;
/** The network was taught with regions shrunk by 1.5 of their area over their perimeter; lines are read better with more around them. */
const UNCLIP = 1.8;
/** Least height of a region in the map, before it is grown again. */
const LEAST = 3;
/** More lines than this are on no page. */
const MOST = 2_000;

/** The size an image is looked at in: at most `mostPixels` and a multiple of 32 each way. */
export function detectionSize(
  width: number,
  height: number,
  mostPixels: number,
  growth = 1,
): { readonly width: number; readonly height: number } {
  const ratio = Math.min(growth, Math.sqrt(mostPixels / (width * height)));
  const side = (length: number) => Math.max(GRID, Math.round((length * ratio) / GRID) * GRID);
  return { width: side(width), height: side(height) };
}

/** A place where text stands, in the image's own pixels. */
export interface Region {
  readonly rectangle: Rectangle;
  /** Around what the network marked, which is less than the text. */
  readonly hull: readonly Point[];
  readonly score: number;
}

/** The regions of a map that looks at a frame, in the pixels of the frame's image. */
export function regionsOf(
  map: { readonly data: Float32Array; readonly width: number; readonly height: number },
  frame: Rectangle,
): readonly Region[] {
  const [sx, sy] = [frame.width / map.width, frame.height / map.height];
  const regions: Region[] = [];
  for (const { outline, pixels, sum } of components(map.data, map.width, map.height, THRESHOLD)) {
    const score = sum / pixels;
    if (score < LIKELY) continue;
    const tight = smallestRectangle(convexHull(outline));
    if (Math.min(tight.width, tight.height) < LEAST) continue;
    // Measured in the frame, where the two sides of a pixel of the map may differ.
    const hull = convexHull(outline.map(({ x, y }) => ({ x: x * sx, y: y * sy })));
    const rectangle = inside(frame, grown(smallestRectangle(hull)));
    regions.push({ rectangle, hull: hull.map((point) => pointInside(frame, point)), score });
  }
  const most = regions.sort((a, b) => b.score - a.score).slice(0, MOST);
  return most.filter(
    ({ rectangle }) => !most.some((other) => swallows(other.rectangle, rectangle)),
  );
}

/** A speck is so much less high than the region whose end it lies in that it is a piece of one of its letters. */
const SPECK = 0.6;

/** Whether another region is a speck that this one covers half of, or more. */
function swallows(large: Rectangle, speck: Rectangle): boolean {
  const height = Math.min(large.width, large.height);
  const [least, most] = [Math.min(speck.width, speck.height), Math.max(speck.width, speck.height)];
  if (least > SPECK * height || most > height) return false;
  const offset = rotated(
    { x: speck.centre.x - large.centre.x, y: speck.centre.y - large.centre.y },
    -large.angle,
  );
  return Math.abs(offset.x) <= large.width / 2 && Math.abs(offset.y) <= large.height / 2;
}

function grown({ centre, width, height, angle }: Rectangle): Rectangle {
  const by = (width * height * UNCLIP) / (2 * (width + height));
  return { centre, width: width + 2 * by, height: height + 2 * by, angle };
}

/** A region this many times as long as it is high shows by itself how its text lies. */
export const LONG = 2;

/** The region where the page's text runs at `angle`: a short one's own rectangle may lie askew around it. */
export function rectangleAt({ rectangle, hull }: Region, angle: number): Rectangle {
  const { width, height } = rectangle;
  const isLong = Math.max(width, height) >= LONG * Math.min(width, height);
  return isLong ? rectangle : grown(around(hull, angle));
}
