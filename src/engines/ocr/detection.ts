import { components } from "./components.ts";
import { convexHull, type Rectangle, smallestRectangle } from "./geometry.ts";
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
  readonly score: number;
}

/** The regions of a map that looks at an image of another size. */
export function regionsOf(
  map: { readonly data: Float32Array; readonly width: number; readonly height: number },
  image: { readonly width: number; readonly height: number },
): readonly Region[] {
  const [sx, sy] = [image.width / map.width, image.height / map.height];
  const regions: Region[] = [];
  for (const { outline, pixels, sum } of components(map.data, map.width, map.height, THRESHOLD)) {
    const score = sum / pixels;
    if (score < LIKELY) continue;
    const tight = smallestRectangle(convexHull(outline));
    if (Math.min(tight.width, tight.height) < LEAST) continue;
    // Measured in the image, where the two sides of a pixel of the map may differ.
    const points = outline.map(({ x, y }) => ({ x: x * sx, y: y * sy }));
    regions.push({ rectangle: grown(smallestRectangle(convexHull(points))), score });
  }
  if (regions.length <= MOST) return regions;
  return regions.sort((a, b) => b.score - a.score).slice(0, MOST);
}

function grown({ centre, width, height, angle }: Rectangle): Rectangle {
  const by = (width * height * UNCLIP) / (2 * (width + height));
  return { centre, width: width + 2 * by, height: height + 2 * by, angle };
}
