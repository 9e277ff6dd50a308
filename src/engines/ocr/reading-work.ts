import { ImageRefused } from "../../images/bounds.ts";
import type { Rectangle } from "./geometry.ts";
import { stands } from "./page-angle.ts";

/** Height of a line in the recognition network. */
export const LINE = 48;
/** Its input's width is a multiple of this. */
const STEP = 8;
const WIDEST = 3_200;

/** How wide a region is when it is brought to a line's height. */
export function readWidth({ width, height }: Pick<Rectangle, "width" | "height">): number {
  const natural = (width * LINE) / height;
  return Math.min(WIDEST, Math.max(STEP, Math.round(natural / STEP) * STEP));
}

/** Each side of a region that stands is read as its line, besides its own. */
const STANDING_READS = 2;
/** Pixels of the image that cost as much to cut out as one column costs to read. Measured. */
const CUT_PER_COLUMN = 1_000;
/**
 * About 20 s of a thread that has nothing else to do. Measured: a full page of print has a fifth of it, a
 * screen of 71 lines with 300 characters each five eighths.
 */
export const MOST_COLUMNS = 400_000;

/** What it takes to read upright regions, in columns of the recognition network. Pure. */
export function readingWork(regions: readonly Rectangle[]): number {
  return regions.reduce((sum, region) => {
    const { width, height } = region;
    const lying = { width: height, height: width };
    const reads = stands(region) ? STANDING_READS : 0;
    const cut = ((1 + reads) * width * height) / CUT_PER_COLUMN;
    return sum + readWidth(region) + reads * readWidth(lying) + cut;
  }, 0);
}

/** @throws ImageRefused for a page that would keep others waiting for too long */
export function refuseLongRead(regions: readonly Rectangle[]): void {
  if (readingWork(regions) <= MOST_COLUMNS) return;
  const lines = regions.length;
  throw new ImageRefused(
    `the image has more text than is read at once, in ${lines} places; send it in parts`,
  );
}
