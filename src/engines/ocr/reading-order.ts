/** Where a piece of a line stands on its page, once the page's text runs to the right. */
export interface Place {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Pieces of one line, from left to right, as indexes of what was given. */
export type Row = readonly number[];

/** A piece so many times as wide as high holds several words. */
const PROSE = 6;
/** Lines that each side of a gutter has, at least. */
const COLUMN_LINES = 3;

interface Item extends Place {
  readonly index: number;
}

/**
 * The order in which people read: rows from top to bottom, each from left to right; where the page
 * clearly has columns, one column after the other. A gutter is clear when nothing crosses it for
 * the height of at least three lines on both sides, it is at least as wide as two thirds of a line is high, and on both
 * sides most pieces are at least six times as wide as high. So names and prices on a receipt stay
 * together, and the columns of an article don't.
 */
export function readingOrder(places: readonly Place[]): readonly Row[] {
  return ordered(places.map((place, index) => ({ ...place, index })));
}

function ordered(items: readonly Item[]): readonly Row[] {
  const gutter = widestGutter(items);
  if (gutter === null) return rows(items);
  return [gutter.before, gutter.left, gutter.right, gutter.after].flatMap(ordered);
}

interface Gutter {
  readonly before: readonly Item[];
  readonly left: readonly Item[];
  readonly right: readonly Item[];
  readonly after: readonly Item[];
}

/** The gutter that parts most pieces. */
function widestGutter(items: readonly Item[]): Gutter | null {
  if (items.length < 2 * COLUMN_LINES) return null;
  const down = [...items].sort((a, b) => middle(a) - middle(b));
  const height = median(items.map(({ top, bottom }) => bottom - top));
  let best: { readonly x: number; readonly from: number; readonly to: number } | null = null;
  for (const x of gutterPlaces(items, height)) {
    let from = 0;
    for (let to = 0; to <= down.length; to++) {
      const item = down[to];
      if (item !== undefined && (item.right <= x || item.left >= x)) continue;
      from = sideBySide(down, from, to, x);
      const longest = best === null ? 0 : best.to - best.from;
      if (to - from > longest && isClear(down.slice(from, to), x, height)) best = { x, from, to };
      from = to + 1;
    }
  }
  if (best === null) return null;
  const { x, from, to } = best;
  const between = down.slice(from, to);
  return {
    before: down.slice(0, from),
    left: between.filter(({ right }) => right <= x),
    right: between.filter(({ left }) => left >= x),
    after: down.slice(to),
  };
}

/** Where both sides begin: what stands above that, such as a short title, belongs to neither. */
function sideBySide(down: readonly Item[], from: number, to: number, x: number): number {
  const between = down.slice(from, to);
  const left = between.find(({ right }) => right <= x);
  const right = between.find((item) => item.left >= x);
  if (left === undefined || right === undefined) return from;
  const top = Math.max(left.top, right.top);
  const skipped = between.findIndex((item) => item.bottom > top);
  return from + Math.max(0, skipped);
}

/** More places are not tried: a page of noise must not take minutes. */
const MOST_GUTTERS = 48;

/** Where a gutter may be: just left of where pieces begin, most of them first. Near ones are taken as one. */
function gutterPlaces(items: readonly Item[], height: number): readonly number[] {
  const places: { readonly x: number; pieces: number }[] = [];
  for (const x of items.map(({ left }) => left).sort((a, b) => a - b)) {
    const last = places.at(-1);
    if (last !== undefined && x - last.x <= height / 4) last.pieces++;
    else places.push({ x, pieces: 1 });
  }
  places.sort((a, b) => b.pieces - a.pieces);
  return places.slice(0, MOST_GUTTERS).map(({ x }) => x);
}

function isClear(items: readonly Item[], x: number, height: number): boolean {
  const left = items.filter(({ right }) => right <= x);
  const right = items.filter((item) => item.left >= x);
  if (!isColumn(left) || !isColumn(right)) return false;
  const width = Math.min(...right.map((item) => item.left)) - Math.max(...left.map((i) => i.right));
  if (width < (2 / 3) * height) return false;
  // Side by side, not one below the other.
  const [a, b] = [extent(left), extent(right)];
  const shared = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  return shared >= (COLUMN_LINES - 1) * height;
}

function isColumn(items: readonly Item[]): boolean {
  if (rows(items).length < COLUMN_LINES) return false;
  return median(items.map((item) => (item.right - item.left) / (item.bottom - item.top))) >= PROSE;
}

function extent(items: readonly Item[]) {
  return {
    top: Math.min(...items.map(({ top }) => top)),
    bottom: Math.max(...items.map(({ bottom }) => bottom)),
  };
}

/** Pieces whose middles are within half a height of each other stand on one line. */
function rows(items: readonly Item[]): readonly Row[] {
  const found: Item[][] = [];
  for (const item of [...items].sort((a, b) => middle(a) - middle(b))) {
    const row = found.findLast((other) => isBeside(other, item));
    if (row === undefined) found.push([item]);
    else row.push(item);
  }
  return found.map((row) => row.sort((a, b) => a.left - b.left).map(({ index }) => index));
}

function isBeside(row: readonly Item[], item: Item): boolean {
  const last = row.at(-1);
  if (last === undefined) return false;
  const height = Math.min(last.bottom - last.top, item.bottom - item.top);
  if (Math.abs(middle(last) - middle(item)) > height / 2) return false;
  // Boxes of neighbours may overlap a little; what stands above one another is not one line, however close.
  return row.every((other) => {
    const shared = Math.min(other.right, item.right) - Math.max(other.left, item.left);
    return shared < Math.min(other.right - other.left, item.right - item.left) / 2;
  });
}

function middle({ top, bottom }: Place): number {
  return (top + bottom) / 2;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
