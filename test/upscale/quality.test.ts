import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { enlarge, type Upscalers } from "../../src/engines/upscale/enlarge.ts";
import type { Raster } from "../../src/engines/upscale/raster.ts";
import { enlargeByTiles } from "../../src/engines/upscale/tiles.ts";
import { decode } from "../../src/images/decode.ts";
import { ROOT } from "../covey.ts";
import { DRAWINGS } from "./drawings.ts";
import { divisible, likeness, reduced } from "./likeness.ts";
import { open } from "./weights.ts";

/** Images made smaller, enlarged again, and held against what they were: beside Lanczos. More of them: `bench/upscale.ts`. */

setDefaultTimeout(120_000);
const PHOTOGRAPH = `${ROOT}/node_modules/@upscalerjs/esrgan-medium/assets/fixture.png`;
const pause = async () => undefined;

let upscalers: Upscalers;
beforeAll(async () => {
  upscalers = open("esrgan-thick");
});

async function picture(name: string): Promise<Raster> {
  const draw = DRAWINGS[name];
  if (draw !== undefined) return draw(96);
  return decode(new Uint8Array(await Bun.file(PHOTOGRAPH).bytes()));
}

test.each([
  ["a photograph", 2, 0.5],
  ["a photograph", 3, 0.5],
  ["a photograph", 4, 0.4],
  ["line art", 2, 1],
  ["line art", 3, 1],
  ["line art", 4, 0.7],
  ["flat colours", 2, 1],
  ["flat colours", 4, 1],
])(
  "%s enlarged %d times is nearer to what it was than by Lanczos",
  async (name, factor, decibels) => {
    const original = divisible(await picture(name), factor);
    const small = await reduced(original, factor);
    const { width, height } = original;
    const plan = { enlarged: original, kept: { width, height }, factor };
    const network = await enlarge(small, plan, "network", null, upscalers, pause);
    const lanczos = await enlarge(small, plan, "lanczos", null, upscalers, pause);
    const [ours, theirs] = [network, lanczos].map((image) => likeness(image, original, factor));
    expect(ours?.psnr).toBeGreaterThan((theirs?.psnr ?? 0) + decibels);
    expect(ours?.ssim).toBeGreaterThan(theirs?.ssim ?? 0);
  },
);

test.each(["esrgan-medium", "esrgan-thick"] as const)(
  "%s makes the same of tiles as of the image in one piece, to one step of brightness",
  async (family) => {
    const { enlarge: run, overlap } = await open(family).open(2);
    const image = await picture("line art");
    const whole = await run(image);
    const tiled = await enlargeByTiles(image, 2, { side: 48, overlap }, run, pause);
    let [different, worst] = [0, 0];
    for (const [at, value] of tiled.pixels.entries()) {
      const difference = Math.abs(value - (whole.pixels[at] ?? 0));
      worst = Math.max(worst, difference);
      if (difference > 0) different++;
    }
    expect(worst).toBeLessThanOrEqual(1);
    expect(different / tiled.pixels.length).toBeLessThan(0.001);
  },
);
