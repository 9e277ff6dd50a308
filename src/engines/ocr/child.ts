import { ImageRefused } from "../../images/bounds.ts";
import { decode } from "../../images/decode.ts";
import { badImage } from "../../images/refusal.ts";
import { serve } from "../child-frame.ts";
import { loadNetworks } from "./networks.ts";
import { onPaper } from "./pixels.ts";
import type { OcrSpeech } from "./protocol.ts";
import { readPage } from "./read-page.ts";

/** Entry of the process that reads text in images. */
serve<OcrSpeech>({
  load: async ({ files, threads }) => {
    const networks = await loadNetworks(files, threads);
    return {
      info: {},
      run: async ({ what, images, bounds }, signal, tell) => {
        for (const { bytes, param } of images) {
          signal.throwIfAborted();
          try {
            const picture = await decode(bytes, bounds);
            tell({ type: "image", width: picture.width, height: picture.height });
            if (what === "check") continue;
            for await (const line of readPage(onPaper(picture), networks, signal))
              tell({ type: "line", line });
          } catch (error) {
            throw error instanceof ImageRefused ? badImage(param, error.message, error) : error;
          }
        }
        return { type: "done" };
      },
    };
  },
});
