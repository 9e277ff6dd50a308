import { emptyRaster, type Pause, type Raster } from "./raster.ts";

/** A part of an image: what it is responsible for, and what is read for that. */
export interface Tile {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Read: the same and what lies around it, as far as there is any. */
  readonly left: number;
  readonly top: number;
  readonly readWidth: number;
  readonly readHeight: number;
}

/** Parts of at most `side` × `side` pixels, alike in size, read with `overlap` pixels around them. Pure. */
export function tilesOf(width: number, height: number, side: number, overlap: number): Tile[] {
  const tiles: Tile[] = [];
  for (const [y, bottom] of spans(height, side))
    for (const [x, right] of spans(width, side)) {
      const left = Math.max(0, x - overlap);
      const top = Math.max(0, y - overlap);
      tiles.push({
        ...{ x, y, width: right - x, height: bottom - y, left, top },
        readWidth: Math.min(width, right + overlap) - left,
        readHeight: Math.min(height, bottom + overlap) - top,
      });
    }
  return tiles;
}

function spans(length: number, most: number): [from: number, to: number][] {
  const count = Math.ceil(length / most);
  const border = (index: number) => Math.round((length * index) / count);
  return Array.from({ length: count }, (_, index) => [border(index), border(index + 1)]);
}

/** Enlarges a small piece, in red green blue, as a whole. */
export type Enlarge = (piece: Raster) => Promise<Raster>;

/**
 * Enlarges an image piece by piece, so that memory is bounded whatever its size. With an `overlap` of
 * what one pixel can depend on, every pixel is what it would be in one piece: there are no seams.
 */
export async function enlargeByTiles(
  image: Raster,
  scale: number,
  { side, overlap }: { readonly side: number; readonly overlap: number },
  enlarge: Enlarge,
  pause: Pause,
): Promise<Raster> {
  const whole = emptyRaster(image.width * scale, image.height * scale, 3);
  const tiles = tilesOf(image.width, image.height, side, overlap);
  for (const [index, tile] of tiles.entries()) {
    await pause(index / tiles.length);
    place(whole, await enlarge(piece(image, tile)), tile, scale);
  }
  return whole;
}

function piece({ width, pixels }: Raster, tile: Tile): Raster {
  const part = emptyRaster(tile.readWidth, tile.readHeight, 3);
  const length = part.width * 3;
  for (let y = 0; y < part.height; y++) {
    const from = ((tile.top + y) * width + tile.left) * 3;
    part.pixels.set(pixels.subarray(from, from + length), y * length);
  }
  return part;
}

function place(whole: Raster, part: Raster, tile: Tile, scale: number): void {
  const length = tile.width * scale * 3;
  for (let y = 0; y < tile.height * scale; y++) {
    const from =
      (((tile.y - tile.top) * scale + y) * part.width + (tile.x - tile.left) * scale) * 3;
    const to = ((tile.y * scale + y) * whole.width + tile.x * scale) * 3;
    whole.pixels.set(part.pixels.subarray(from, from + length), to);
  }
}
