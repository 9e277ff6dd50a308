import { ImageRefused } from "../../images/bounds.ts";
import { decode } from "../../images/decode.ts";
import { badImage } from "../../images/refusal.ts";
import { serve } from "../child-frame.ts";
import { loadNetworks } from "./networks.ts";
import { onWhite } from "./pixels.ts";
import type { AskedImage, OcrSpeech } from "./protocol.ts";
import { readPage } from "./read-page.ts";

/** Entry of the process that reads text in images. */
serve<OcrSpeech>({
  load: async ({ files, threads }) => {
    const networks = await loadNetworks(files, threads);
    return {
      info: {},
      run: async ({ what, images, bounds }, signal, tell) => {
        for (const image of images) {
          signal.throwIfAborted();
          const picture = await decoded(image, bounds);
          if (what === "check") continue;
          const pixels = onWhite(picture);
          tell({ type: "image", width: pixels.width, height: pixels.height });
          for await (const line of readPage(pixels, networks, signal)) tell({ type: "line", line });
        }
        return { type: "done" };
      },
    };
  },
});

async function decoded({ bytes, param }: AskedImage, bounds: OcrSpeech["ask"]["bounds"]) {
  try {
    return await decode(bytes, bounds);
  } catch (error) {
    throw error instanceof ImageRefused ? badImage(param, error.message, error) : error;
  }
}
