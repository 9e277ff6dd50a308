import { GatewayError } from "../../contract/errors.ts";
import type { Model } from "../../types.ts";
import { defineEngine, type WeightPaths } from "../kind.ts";
import type { PooledModel } from "../pool.ts";
import type { NetworkFiles } from "./networks.ts";
import type { UpscaleSpeech } from "./protocol.ts";

/** Measured: 330 MB of the largest network at work, 1.1 GB of the largest image with alpha and what becomes of it. */
const BYTES = 1_500_000_000;

/** Networks that enlarge images, by onnxruntime. */
export const UPSCALE = defineEngine<UpscaleSpeech>({
  id: "upscale",
  entry: () => new URL("./child.ts", import.meta.url),
  requires: ["onnxruntime-node", "sharp"],
  serialization: "advanced",
  does: "enlarges images",
  endpoint: "/v1/upscale-img",
  // An image takes all threads there are, and memory: one after the other is as quick.
  places: () => 1,
  load: async ({ id, file }, files, { threads }) => {
    const networks = networksOf(files, sizesOf(file.weights));
    if (networks.length === 0 || file.upscale === undefined)
      throw new GatewayError(
        "unavailable",
        `The file of the model ${id} must have a table upscale, and name weights.files such as x4 and x4_1.`,
      );
    return { options: { networks, range: file.upscale.range, threads }, bytes: BYTES };
  },
});

/** An upscaler's place in the pool. */
export type PooledUpscaler = PooledModel<UpscaleSpeech>;

/** Bytes of a model's files by their roles. */
function sizesOf(weights: Model["file"]["weights"]): (role: string) => number {
  const files = weights?.source === "packages" ? weights.files : {};
  return (role) => files[role]?.size ?? 0;
}

const NETWORK = /^x([2-8])$/;

/** Of the roles and their sizes in bytes: `x4` is the network that enlarges 4 times, `x4_1`, `x4_2`, … are its weights in order. */
export function networksOf(files: WeightPaths, sizeOf: (role: string) => number): NetworkFiles[] {
  return Object.entries(files).flatMap(([role, model]): NetworkFiles[] => {
    const scale = NETWORK.exec(role)?.[1];
    if (scale === undefined) return [];
    const shards: string[] = [];
    let bytes = 0;
    for (
      let path = files[`${role}_1`];
      path !== undefined;
      path = files[`${role}_${shards.length + 1}`]
    ) {
      shards.push(path);
      bytes += sizeOf(`${role}_${shards.length}`);
    }
    return [{ scale: Number(scale), model, shards, bytes }];
  });
}
