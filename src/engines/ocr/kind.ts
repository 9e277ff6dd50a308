import { GatewayError } from "../../contract/errors.ts";
import { defineEngine } from "../kind.ts";
import type { OcrSpeech } from "./protocol.ts";

/** Measured: the networks at work on the most pixels they are ever shown, and the largest image decoded. */
const BYTES = 1_200_000_000;
const MEASURED_PIXELS = 40_000_000;
/** Of a larger one: decoded with alpha, and laid on white. */
const BYTES_PER_PIXEL = 7;

/** Text in images, by PP-OCR networks in onnxruntime. */
export const OCR = defineEngine<OcrSpeech>({
  id: "ocr",
  entry: () => new URL("./child.ts", import.meta.url),
  requires: () => ["onnxruntime-node", "sharp"],
  serialization: "advanced",
  does: "reads text in images",
  endpoint: "/v1/chat/completions",
  parameters: ["max_tokens", "max_completion_tokens"],
  // The same image reads the same: what was said is passed over.
  continuation: { prefill: true, completions: false, exact: true, guided: false },
  // Pages take all threads there are, and memory: one after the other is as quick.
  places: () => 1,
  load: async ({ id }, { detection, recognition, dictionary }, { threads, imagePixels = 0 }) => {
    if (detection === undefined || recognition === undefined || dictionary === undefined)
      throw new GatewayError(
        "unavailable",
        `The file of the model ${id} must name weights.files detection, recognition and dictionary.`,
      );
    const bytes = BYTES + BYTES_PER_PIXEL * Math.max(0, imagePixels - MEASURED_PIXELS);
    return { options: { files: { detection, recognition, dictionary }, threads }, bytes };
  },
});
