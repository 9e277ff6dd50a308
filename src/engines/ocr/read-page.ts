import { crop } from "./crop.ts";
import type { Reading } from "./ctc.ts";
import { rectangleAt } from "./detection.ts";
import { findText } from "./find-text.ts";
import { corners, type Point, type Rectangle, rotated } from "./geometry.ts";
import { lettered } from "./letters.ts";
import type { Networks } from "./networks.ts";
import { stands, textDirection, upright } from "./page-angle.ts";
import type { Pixels, Scale } from "./pixels.ts";
import { type Place, readingOrder } from "./reading-order.ts";
import { LINE, readWidth, refuseLongRead } from "./reading-work.ts";
import { untwinned } from "./twins.ts";
import { spaced } from "./word-spaces.ts";

const LINE_SCALE: Scale = { mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5] };

/** One line of a page. */
export interface Line {
  readonly text: string;
  /** Mean likelihood of its characters, 0 to 1. */
  readonly confidence: number;
  /** Its corners in the image's pixels, from where its text begins, clockwise as one reads. */
  readonly box: readonly [Point, Point, Point, Point];
}

/** What reads worse than this is no text. */
const LEAST_CONFIDENCE = 0.5;
/** Regions that are read forwards and backwards to tell which way up a page is. */
const TRIALS = 3;
/** A trial that reads so well needs no other. */
const SURE = 0.95;

/**
 * The lines of an image, in the order in which people read them, each as soon as it is read.
 * `signal` ends it at the next line.
 * @throws ImageRefused for more text than is read at once, before any of it is read
 */
export async function* readPage(
  image: Pixels,
  networks: Networks,
  signal: AbortSignal,
): AsyncGenerator<Line, void, void> {
  const found = await findText(image, networks);
  signal.throwIfAborted();
  const read = reader(image, networks);
  const rectangles = found.map(({ rectangle }) => rectangle);
  const direction = textDirection(rectangles);
  refuseLongRead(found.map((region) => upright(rectangleAt(region, direction), direction)));
  const angle = await pageAngle(rectangles, direction, read);
  const regions = found.map((region) => upright(rectangleAt(region, angle), angle));
  for (const row of readingOrder(regions.map((region) => placeOf(region, angle)))) {
    const pieces: Piece[] = [];
    for (const index of row) {
      signal.throwIfAborted();
      const region = regions[index];
      if (region === undefined) continue;
      const reading = await bestReading(region, read);
      if (reading.confidence >= LEAST_CONFIDENCE) pieces.push({ region, reading });
    }
    const line = lineOf(pieces, angle);
    if (line !== null) yield line;
  }
}

type Read = (rectangle: Rectangle) => Promise<Reading>;

interface Piece {
  readonly region: Rectangle;
  readonly reading: Reading;
}

/** Reads regions of one page. */
function reader(image: Pixels, networks: Networks): Read {
  return async (region) => {
    const planes = crop(image, region, readWidth(region), LINE, LINE_SCALE);
    const reading = await networks.recognise(planes);
    return { ...reading, text: lettered(spaced(reading, planes), reading) };
  };
}

/**
 * Where a page's text runs. Its regions tell the direction, but for forwards and backwards: so the longest
 * ones are read both ways, and the way that reads better is the page's. The way nearer to upright
 * comes first, and is enough if it reads well.
 */
async function pageAngle(
  rectangles: readonly Rectangle[],
  direction: number,
  read: Read,
): Promise<number> {
  const longest = rectangles
    .map((rectangle) => upright(rectangle, direction))
    .filter(({ width, height }) => width >= 2 * height)
    .sort((a, b) => b.width - a.width)
    .slice(0, TRIALS);
  if (longest.length === 0) return direction;
  const score = async (angle: number) => {
    let sum = 0;
    for (const region of longest) sum += (await read({ ...region, angle })).confidence;
    return sum / longest.length;
  };
  const forwards = await score(direction);
  if (forwards >= SURE) return direction;
  return (await score(direction + Math.PI)) > forwards ? direction + Math.PI : direction;
}

/** A region that stands is read upright, upwards and downwards; the best reading is its. */
async function bestReading(region: Rectangle, read: Read): Promise<Reading> {
  const first = await read(region);
  if (!stands(region)) return first;
  const { width, height, angle, centre } = region;
  let best = first;
  for (const quarter of [-Math.PI / 2, Math.PI / 2]) {
    const reading = await read({ centre, width: height, height: width, angle: angle + quarter });
    if (reading.confidence > best.confidence) best = reading;
  }
  return best;
}

function placeOf({ centre, width, height }: Rectangle, angle: number): Place {
  const { x, y } = rotated(centre, -angle);
  return {
    left: x - width / 2,
    right: x + width / 2,
    top: y - height / 2,
    bottom: y + height / 2,
  };
}

/** One line of its pieces: their text with a space between, their mean confidence by character, the box around all. */
function lineOf(pieces: readonly Piece[], angle: number): Line | null {
  const text = untwinned(pieces.map(({ reading }) => reading.text.trim()).join(" "));
  if (text.trim() === "") return null;
  const characters = pieces.reduce((sum, { reading }) => sum + reading.text.length, 0);
  const sure = pieces.reduce((sum, { reading: r }) => sum + r.confidence * r.text.length, 0);
  const [only] = pieces;
  const box = pieces.length === 1 && only !== undefined ? only.region : around(pieces, angle);
  return { text, confidence: sure / characters, box: corners(box) };
}

function around(pieces: readonly Piece[], angle: number): Rectangle {
  const places = pieces.map(({ region }) => placeOf(region, angle));
  const left = Math.min(...places.map((place) => place.left));
  const right = Math.max(...places.map((place) => place.right));
  const top = Math.min(...places.map((place) => place.top));
  const bottom = Math.max(...places.map((place) => place.bottom));
  const centre = rotated({ x: (left + right) / 2, y: (top + bottom) / 2 }, angle);
  return { centre, width: right - left, height: bottom - top, angle };
}
