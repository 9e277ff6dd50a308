import { AskThread } from "./ask-thread.ts";
import type { Upscaler, Upscalers } from "./enlarge.ts";
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
 * The networks of one model, on the processor with so many threads, in a thread beside this one. Each is
 * read and opened when it is first used, and that rejects when a file is no such network.
 * @param range what white is in the model's numbers
 */
export function openNetworks(
  all: readonly NetworkFiles[],
  range: 1 | 255,
  threads: number,
): Upscalers {
  const opened = new Map<number, Promise<Upscaler>>();
  const thread = new AskThread(() => opened.clear());
  const open = async (files: NetworkFiles): Promise<Upscaler> => {
    const { scale } = files;
    const network = await thread.ask({ type: "open", files, range, threads });
    if (network.type !== "opened") throw new Error("the network was not opened");
    return {
      side: SIDE,
      overlap: Math.min(network.radius, MAX_OVERLAP),
      enlarge: async ({ width, height, pixels }) => {
        const made = await thread.ask({ type: "run", scale, pixels, width, height });
        if (made.type !== "made") throw new Error("the network made no pixels");
        return { width: width * scale, height: height * scale, channels: 3, pixels: made.pixels };
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
