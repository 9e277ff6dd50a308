import { GatewayError } from "../../contract/errors.ts";
import { defineEngine } from "../kind.ts";
import type { PooledModel } from "../pool.ts";
import { LONG_BYTES, SHORT_BYTES } from "./foresee.ts";
import { networksOf, sizesOf } from "./network-files.ts";
import type { UpscaleSpeech } from "./protocol.ts";

const SHORT_PLACES = 3;
const LONG_PLACES = 2;
/**
 * glibc keeps what a run of a network used for the next one, whichever network that is, and gives back what is
 * larger, such as whole images. Measured, medium 2 times, two images of 900 × 700: 220 MB are left and 385 the most.
 * With nothing given back they are 610 and 840, with glibc's own numbers 220 and 510, in the same processor time.
 */
const REUSED_MEMORY = {
  MALLOC_MMAP_THRESHOLD_: "33554432",
  MALLOC_TRIM_THRESHOLD_: "128000000",
  MALLOC_ARENA_MAX: "1",
};
/**
 * Threads of the pool where files are read and written, one for each place and some for networks: Bun's own number is
 * that of processors, and two large images that are written would stop everything else.
 */
const POOL = { UV_THREADPOOL_SIZE: String(SHORT_PLACES + LONG_PLACES + 3) };
/** Measured: three of the largest networks, while the fourth is opened. */
const NETWORK_BYTES = 700_000_000;

/** Networks that enlarge images, by onnxruntime. */
export const UPSCALE = defineEngine<UpscaleSpeech>({
  id: "upscale",
  entry: () => new URL("./child.ts", import.meta.url),
  requires: ["onnxruntime-node", "sharp"],
  serialization: "advanced",
  env: { ...REUSED_MEMORY, ...POOL },
  does: "enlarges images",
  endpoint: "/v1/upscale-img",
  // Their steps come one after the other, by turns: each takes all threads there are.
  places: () => SHORT_PLACES,
  longPlaces: LONG_PLACES,
  load: async ({ id, file }, files, { threads }) => {
    const networks = networksOf(files, sizesOf(file.weights));
    if (networks.length === 0 || file.upscale === undefined)
      throw new GatewayError(
        "unavailable",
        `The file of the model ${id} must have a table upscale, and name weights.files such as x4 and x4_1.`,
      );
    const bytes = NETWORK_BYTES + LONG_BYTES + SHORT_PLACES * SHORT_BYTES;
    return { options: { networks, range: file.upscale.range, threads }, bytes };
  },
});

/** An upscaler's place in the pool. */
export type PooledUpscaler = PooledModel<UpscaleSpeech>;
