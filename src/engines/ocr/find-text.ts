import { crop } from "./crop.ts";
import { DETECTION_SCALE, detectionSize, type Region, regionsOf } from "./detection.ts";
import { frameAt } from "./geometry.ts";
import type { Networks } from "./networks.ts";
import { textDirection } from "./page-angle.ts";
import { type Pixels, resizedPlanes } from "./pixels.ts";

/** Most pixels that are looked at for text; a larger image is looked at smaller, and read in full. */
export const MOST_SEEN = 2_000_000;
/** Text that runs more aslant than this is looked for once more in the image turned straight. */
const ASLANT = (8 * Math.PI) / 180;
/** Regions of small print are less high than this, in pixels; it is looked for once more, enlarged so many times. */
const SMALL = 24;
const ENLARGED = 2;

/** Where text stands in an image. A second look is worth its time where text runs aslant, and where it is small and there is room to enlarge it. */
export async function findText(image: Pixels, networks: Networks): Promise<readonly Region[]> {
  const first = await regionsAt(image, 0, 1, networks);
  const rectangles = first.map(({ rectangle }) => rectangle);
  const direction = textDirection(rectangles);
  const skew = direction - (Math.PI / 2) * Math.round(direction / (Math.PI / 2));
  const heights = rectangles.map(({ width, height }) => Math.min(width, height));
  const isSmall = heights.length > 0 && median(heights) < SMALL;
  if (Math.abs(skew) <= ASLANT && !isSmall) return first;
  return regionsAt(image, Math.abs(skew) > ASLANT ? skew : 0, isSmall ? ENLARGED : 1, networks);
}

/** The regions that are seen in the image when it is looked at askew or enlarged, in its own pixels. */
async function regionsAt(
  image: Pixels,
  angle: number,
  growth: number,
  networks: Networks,
): Promise<readonly Region[]> {
  const frame = frameAt(image, angle);
  const size = detectionSize(frame.width, frame.height, MOST_SEEN, growth);
  const planes =
    angle === 0
      ? resizedPlanes(image, size.width, size.height, DETECTION_SCALE)
      : crop(image, frame, size.width, size.height, DETECTION_SCALE);
  const data = await networks.detect(planes);
  return regionsOf({ data, ...size }, frame);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
