import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { enlarge } from "../src/engines/upscale/enlarge.ts";
import { buildNetwork, INPUT, PLANES } from "../src/engines/upscale/network.ts";
import type { Raster } from "../src/engines/upscale/raster.ts";
import { decode } from "../src/images/decode.ts";
import { DRAWINGS } from "../test/upscale/drawings.ts";
import { divisible, type Likeness, likeness, reduced } from "../test/upscale/likeness.ts";
import { type Family, layersOf, open, shipped } from "../test/upscale/weights.ts";
import type { Figure, Result } from "./report.ts";
import { byTurns } from "./rounds.ts";
import { ratios, sample } from "./statistics.ts";

const FAMILIES: readonly Family[] = ["esrgan-medium", "esrgan-thick"];
const SIDE = 256;
const SCALE = 4;
/** What is cut out of the middle of a photograph to be held against. */
const CUT = 240;
const pause = async () => undefined;

/**
 * Megapixels made in a second of processor time, one thread: our whole way (tiles, back-projection) beside
 * onnxruntime's bare run of the network on the image in one piece. Then how near enlarged images come to
 * what they were: drawings, and the photographs in the folder COVEY_BENCH_PHOTOS.
 */
export async function upscale({ rounds }: { rounds: number }): Promise<Result> {
  const figures: Figure[] = [];
  for (const family of FAMILIES) figures.push(await speed(family, rounds));
  const quality = await qualities();
  return {
    benchmark: "upscale",
    figures,
    notes: quality.map(({ text }) => text),
    detail: quality.map(({ text: _, ...numbers }) => numbers),
  };
}

async function speed(family: Family, rounds: number): Promise<Figure> {
  const ort = await import("onnxruntime-node");
  const image = drawing("flat colours", SIDE);
  const { onnx } = buildNetwork(layersOf(family, SCALE), shipped(family).range);
  const session = await ort.InferenceSession.create(onnx, { intraOpNumThreads: 1 });
  const input = new ort.Tensor("uint8", image.pixels, [1, SIDE, SIDE, 3]);
  const upscalers = await open(family);
  const size = { width: SIDE * SCALE, height: SIDE * SCALE };
  const plan = { enlarged: size, kept: size, factor: SCALE };
  const ours = () => enlarge(image, plan, "network", null, upscalers, pause);
  const bare = () => session.run({ [INPUT]: input }, [PLANES]);
  await ours();
  await bare();
  const pixels = size.width * size.height;
  const [covey = [], peer = []] = await byTurns(
    rounds,
    [ours, bare].map((work) => async () => {
      const before = process.cpuUsage();
      await work();
      const { user, system } = process.cpuUsage(before);
      return pixels / (user + system);
    }),
    (megapixels) => megapixels,
  );
  return {
    name: `${family}, ${SCALE} times`,
    unit: "megapixels/CPU s",
    ours: sample(covey),
    peer: { name: "bare onnxruntime", value: sample(peer) },
    ratio: ratios(covey, peer),
  };
}

interface Quality {
  readonly text: string;
  readonly scale: number;
  readonly of: string;
  readonly images: number;
  readonly lanczos: Likeness;
  readonly networks: Readonly<Record<string, Likeness>>;
}

async function qualities(): Promise<Quality[]> {
  const found: Quality[] = [];
  const photographs = await photographsIn(process.env.COVEY_BENCH_PHOTOS);
  const sets: readonly (readonly [string, readonly Raster[]])[] = [
    ...Object.keys(DRAWINGS).map((name) => [name, [drawing(name, CUT)]] as const),
    ["photographs", photographs],
  ];
  for (const scale of [2, 3, 4, 8])
    for (const [of, images] of sets)
      if (images.length > 0) found.push(await quality(of, images, scale));
  return found;
}

async function quality(of: string, images: readonly Raster[], scale: number): Promise<Quality> {
  const all: Record<string, Likeness[]> = { lanczos: [], "esrgan-medium": [], "esrgan-thick": [] };
  for (const image of images) {
    const original = divisible(image, scale);
    const small = await reduced(original, scale);
    const plan = { enlarged: original, kept: original, factor: scale };
    for (const family of FAMILIES) {
      const upscalers = await open(family);
      const large = await enlarge(small, plan, "network", null, upscalers, pause);
      all[family]?.push(likeness(large, original, scale));
      if (family === "esrgan-thick") {
        const kernel = await enlarge(small, plan, "lanczos", null, upscalers, pause);
        all.lanczos?.push(likeness(kernel, original, scale));
      }
    }
  }
  const { lanczos = NONE, ...networks } = Object.fromEntries(
    Object.entries(all).map(([name, values]) => [name, mean(values)]),
  );
  const text = [["lanczos", lanczos] as const, ...Object.entries(networks)]
    .map(([name, { psnr, ssim }]) => `${name} ${psnr.toFixed(2)} dB ${ssim.toFixed(3)}`)
    .join(", ");
  const count = images.length;
  return {
    text: `${scale} times, ${of} (${count}): ${text}`,
    scale,
    of,
    images: count,
    lanczos,
    networks,
  };
}

const NONE: Likeness = { psnr: 0, ssim: 0 };

function mean(values: readonly Likeness[]): Likeness {
  const of = (value: (one: Likeness) => number) =>
    values.reduce((sum, one) => sum + value(one), 0) / values.length;
  return { psnr: of(({ psnr }) => psnr), ssim: of(({ ssim }) => ssim) };
}

function drawing(name: string, side: number): Raster {
  const draw = DRAWINGS[name];
  if (draw === undefined) throw new Error(`there is no drawing called ${name}`);
  return draw(side);
}

async function photographsIn(folder: string | undefined): Promise<Raster[]> {
  if (folder === undefined || !existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => /\.(png|jpe?g|webp)$/i.test(name));
  return Promise.all(
    names.map(async (name) => {
      const bytes = new Uint8Array(await Bun.file(join(folder, name)).bytes());
      return middleOf(await decode(bytes), CUT);
    }),
  );
}

/** Without alpha. */
function middleOf({ width, height, channels, pixels }: Raster, side: number): Raster {
  const size = Math.min(side, width, height);
  const [left, top] = [(width - size) >> 1, (height - size) >> 1];
  const part = new Uint8Array(size * size * 3);
  for (let at = 0; at < part.length; at++) {
    const [x, y] = [Math.floor(at / 3) % size, Math.floor(at / 3 / size)];
    part[at] = pixels[((top + y) * width + left + x) * channels + (at % 3)] ?? 0;
  }
  return { width: size, height: size, channels: 3, pixels: part };
}
