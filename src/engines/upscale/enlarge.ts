import { visibleColours } from "./bleed.ts";
import { chainOf, type Plan } from "./plan.ts";
import { channelsOf, layOver, middle, type Pause, type Raster, withAlpha } from "./raster.ts";
import { resample } from "./resample.ts";
import { type Enlarge, enlargeByTiles } from "./tiles.ts";

/** How an image is enlarged: by a model's networks, by a kernel, or not at all. */
export type Method = "network" | "lanczos" | "nearest" | "none";

/** One network of a model. */
export interface Upscaler {
  readonly enlarge: Enlarge;
  readonly side: number;
  readonly overlap: number;
}

/** A model's networks, opened when they are used. */
export interface Upscalers {
  readonly scales: readonly number[];
  /** How many numbers the network of that scale has. */
  weights(scale: number): number;
  open(scale: number): Promise<Upscaler>;
}

export interface Blend {
  readonly method: Method;
  /** 0: nothing of it is seen; 1: nothing but it. */
  readonly visibility: number;
}

/**
 * The image enlarged as planned. Colours go through the networks, alpha is enlarged apart.
 * @throws CannotEnlarge beyond the bounds; what `pause` rejects with
 */
export async function enlarge(
  image: Raster,
  plan: Plan,
  method: Method,
  blend: Blend | null,
  upscalers: Upscalers,
  pause: Pause,
): Promise<Raster> {
  if (method === "none") return image;
  const parts = blend === null ? 1 : 2;
  const first = await byMethod(image, plan, method, upscalers, (done) => pause(done / parts));
  if (blend === null || blend.method === "none")
    return middle(first, plan.kept.width, plan.kept.height);
  const second = await byMethod(image, plan, blend.method, upscalers, (done) =>
    pause((1 + done) / parts),
  );
  await layOver(first, second, blend.visibility, pause);
  return middle(first, plan.kept.width, plan.kept.height);
}

async function byMethod(
  image: Raster,
  { enlarged: { width, height }, factor }: Plan,
  method: Exclude<Method, "none">,
  upscalers: Upscalers,
  pause: Pause,
): Promise<Raster> {
  if (method !== "network") return resample(image, width, height, method, pause);
  const chain = chainOf(image, factor, upscalers.scales);
  const colours = await byNetworks(
    image.channels === 4 ? visibleColours(image) : image,
    chain,
    upscalers,
    (done) => pause(done * NETWORKS_SHARE),
  );
  const rest: Pause = (done) => pause(NETWORKS_SHARE + done * (1 - NETWORKS_SHARE));
  const sized = await resample(colours, width, height, "lanczos", rest);
  if (image.channels !== 4) return sized;
  return withAlpha(sized, await resample(channelsOf(image, 3, 1), width, height, "lanczos", rest));
}

/** What the networks are of all the work, about. */
const NETWORKS_SHARE = 0.95;

async function byNetworks(
  image: Raster,
  chain: readonly number[],
  upscalers: Upscalers,
  pause: Pause,
): Promise<Raster> {
  const [scale, ...others] = chain;
  if (scale === undefined) return image;
  const { enlarge: run, ...tiles } = await upscalers.open(scale);
  // The others have so many times the pixels to do.
  const share = others.length === 0 ? 1 : 1 / (1 + scale ** 2);
  const larger = await enlargeByTiles(image, scale, tiles, run, (done) => pause(done * share));
  return byNetworks(larger, others, upscalers, (done) => pause(share + done * (1 - share)));
}
