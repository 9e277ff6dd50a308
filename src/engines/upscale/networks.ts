import { readFile } from "node:fs/promises";
import type { Upscaler, Upscalers } from "./enlarge.ts";
import { readLayersModel } from "./layers-model.ts";
import { buildNetwork, INPUT, OUTPUT } from "./network.ts";
import { knownOf, type NetworkFiles } from "./network-files.ts";

/** Pixels of a tile's side without what is read around it: about 3 s of the largest network, on one thread. */
const SIDE = 160;
/**
 * Most that is read around a tile. The largest network could look 160 pixels far, and hardly does: with
 * this, tiles differ by at most one step of brightness, in a pixel of 100,000, from the image done in
 * one piece (measured; 12 would nearly do).
 */
const MAX_OVERLAP = 16;

/**
 * The networks of one model, on the processor with so many threads. Each is read and opened when it is
 * first used. Rejects, and so do they, when a file is no such network.
 * @param range what white is in the model's numbers
 */
export async function openNetworks(
  all: readonly NetworkFiles[],
  range: 1 | 255,
  threads: number,
): Promise<Upscalers> {
  const ort = await import("onnxruntime-node");
  const opened = new Map<number, Promise<Upscaler>>();
  const open = async ({ model, shards, scale }: NetworkFiles): Promise<Upscaler> => {
    const weights = await Promise.all(shards.map((path) => readFile(path)));
    const network = buildNetwork(readLayersModel(await readFile(model, "utf8"), weights), range);
    if (network.scale !== scale) throw new Error(`${model} enlarges ${network.scale} times`);
    const session = await ort.InferenceSession.create(network.onnx, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // Each would keep one of its own; the process reuses memory (`kind.ts`).
      enableCpuMemArena: false,
    });
    return {
      side: SIDE,
      overlap: Math.min(network.radius, MAX_OVERLAP),
      enlarge: async ({ width, height, pixels }) => {
        const input = new ort.Tensor("uint8", pixels, [1, height, width, 3]);
        const output = (await session.run({ [INPUT]: input }, [OUTPUT]))[OUTPUT];
        if (!(output?.data instanceof Uint8Array)) throw new Error("the network made no pixels");
        return { width: width * scale, height: height * scale, channels: 3, pixels: output.data };
      },
    };
  };
  return {
    ...knownOf(all),
    open: (scale) => {
      const files = all.find((network) => network.scale === scale);
      if (files === undefined) throw new Error(`no network enlarges ${scale} times`);
      const known = opened.get(scale);
      if (known !== undefined) return known;
      const opening = open(files);
      opened.set(scale, opening);
      // One that could not be opened may be, the next time: a file may have been fetched, or memory be free.
      opening.catch(() => opened.delete(scale));
      return opening;
    },
  };
}
