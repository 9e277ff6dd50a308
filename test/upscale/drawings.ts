import { emptyRaster, type Raster } from "../../src/engines/upscale/raster.ts";

/** Pictures made from formulas: drawings and textures that are the same on every machine. */

type Colour = readonly [red: number, green: number, blue: number];
type Paint = (x: number, y: number) => Colour;

const SAMPLES = 4;

/** Each pixel is the mean of 16 points in it. Places are 0 to 1. */
function painted(side: number, paint: Paint): Raster {
  const image = emptyRaster(side, side, 3);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const sum = [0, 0, 0];
      for (let point = 0; point < SAMPLES ** 2; point++) {
        const px = (x + ((point % SAMPLES) + 0.5) / SAMPLES) / side;
        const py = (y + (Math.floor(point / SAMPLES) + 0.5) / SAMPLES) / side;
        for (const [channel, value] of paint(px, py).entries())
          sum[channel] = (sum[channel] ?? 0) + value;
      }
      for (const [channel, value] of sum.entries())
        image.pixels[(y * side + x) * 3 + channel] = Math.round(value / SAMPLES ** 2);
    }
  return image;
}

const INK: Colour = [20, 24, 40];
const PAPER: Colour = [250, 246, 238];

/** Circles, strokes at all angles, hatching, as a pen would draw them. */
function lineArt(x: number, y: number): Colour {
  const width = 0.008;
  for (const [cx, cy, radius] of [
    [0.3, 0.32, 0.2],
    [0.68, 0.62, 0.25],
    [0.68, 0.62, 0.12],
  ] as const)
    if (Math.abs(Math.hypot(x - cx, y - cy) - radius) < width) return INK;
  for (let ray = 0; ray < 12; ray++) {
    const [dx, dy] = [Math.cos((ray * Math.PI) / 12), Math.sin((ray * Math.PI) / 12)];
    const along = (x - 0.3) * dx + (y - 0.32) * dy;
    const across = Math.abs((x - 0.3) * dy - (y - 0.32) * dx);
    if (Math.abs(along) < 0.15 && across < width / 2) return INK;
  }
  if (y > 0.86 && Math.abs((x * 24 + y * 12) % 1) < 0.22) return INK;
  if (x < 0.09 && Math.abs(Math.sin(y * 60)) < 0.3) return INK;
  return PAPER;
}

/** Flat fields of colour with curved borders, as in comics and logos. */
function cells(x: number, y: number): Colour {
  const wave = Math.sin(7 * x + 3 * Math.sin(5 * y)) + Math.cos(6 * y - 2 * Math.sin(4 * x));
  if (wave > 1) return [230, 70, 60];
  if (wave > 0.2) return [250, 190, 40];
  if (wave > -0.7) return [40, 120, 200];
  return [25, 40, 70];
}

/** Something woven: fine, regular, at an angle. */
function weave(x: number, y: number): Colour {
  const u = Math.sin(70 * (x + 0.3 * y));
  const v = Math.sin(64 * (y - 0.25 * x));
  const light = 128 + 70 * Math.max(u, v) * Math.cos(2 * x) - 20 * y;
  return [light, light * 0.85, light * 0.6];
}

export const DRAWINGS: Readonly<Record<string, (side: number) => Raster>> = {
  "line art": (side) => painted(side, lineArt),
  "flat colours": (side) => painted(side, cells),
  "a weave": (side) => painted(side, weave),
};
