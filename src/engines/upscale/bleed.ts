import { emptyRaster, type Raster } from "./raster.ts";

/**
 * The colours of an image with alpha, where what can't be seen has the colour of what can be seen
 * nearest to it. A network would otherwise smear the black, or the leftovers, under transparent
 * pixels over the edge of what is visible. By pull and push over a pyramid of halves (Gortler et
 * al., The Lumigraph, 1996).
 */
export function visibleColours({ width, height, pixels }: Raster): Raster {
  const colours = emptyRaster(width, height, 3);
  const levels: Level[] = [];
  for (let level: Level = bottom(width, height, pixels); ; level = halved(level)) {
    levels.push(level);
    if (level.width === 1 && level.height === 1) break;
  }
  for (let depth = levels.length - 2; depth >= 0; depth--) {
    const [level, above] = [levels[depth], levels[depth + 1]];
    if (level !== undefined && above !== undefined) fill(level, above);
  }
  const filled = levels[0]?.colours ?? new Float32Array();
  for (let at = 0; at < colours.pixels.length; at++) {
    const pixel = Math.floor(at / 3);
    const seen = (pixels[pixel * 4 + 3] ?? 0) > 0;
    colours.pixels[at] = seen ? (pixels[pixel * 4 + (at % 3)] ?? 0) : Math.round(filled[at] ?? 0);
  }
  return colours;
}

/** Colours, and how much of each place is known of them: 0 to 1. */
interface Level {
  readonly width: number;
  readonly height: number;
  readonly colours: Float32Array;
  readonly known: Float32Array;
}

function bottom(width: number, height: number, pixels: Uint8Array): Level {
  const known = new Float32Array(width * height);
  const colours = new Float32Array(width * height * 3);
  for (let at = 0; at < known.length; at++) {
    known[at] = (pixels[at * 4 + 3] ?? 0) / 255;
    for (let channel = 0; channel < 3; channel++)
      colours[at * 3 + channel] = pixels[at * 4 + channel] ?? 0;
  }
  return { width, height, colours, known };
}

function halved(level: Level): Level {
  const width = Math.ceil(level.width / 2);
  const height = Math.ceil(level.height / 2);
  const known = new Float32Array(width * height);
  const colours = new Float32Array(width * height * 3);
  for (let at = 0; at < level.known.length; at++) {
    const weight = level.known[at] ?? 0;
    const to = (Math.floor(at / level.width) >> 1) * width + ((at % level.width) >> 1);
    known[to] = (known[to] ?? 0) + weight;
    for (let channel = 0; channel < 3; channel++)
      colours[to * 3 + channel] =
        (colours[to * 3 + channel] ?? 0) + weight * (level.colours[at * 3 + channel] ?? 0);
  }
  for (let at = 0; at < known.length; at++) {
    const weight = known[at] ?? 0;
    if (weight === 0) continue;
    for (let channel = 0; channel < 3; channel++)
      colours[at * 3 + channel] = (colours[at * 3 + channel] ?? 0) / weight;
    known[at] = Math.min(1, weight);
  }
  return { width, height, colours, known };
}

/** What a level does not know, the one above it tells. */
function fill(level: Level, above: Level): void {
  for (let at = 0; at < level.known.length; at++) {
    if ((level.known[at] ?? 0) > 0) continue;
    const from = (Math.floor(at / level.width) >> 1) * above.width + ((at % level.width) >> 1);
    for (let channel = 0; channel < 3; channel++)
      level.colours[at * 3 + channel] = above.colours[from * 3 + channel] ?? 0;
  }
}
