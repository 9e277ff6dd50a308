import { badImage } from "../../images/refusal.ts";
import { inCodecTime } from "../codec-limit.ts";
import type { AskedImage, OcrEvent } from "./protocol.ts";

/** Milliseconds that one image may take to be decoded. */
const DECODE_MS = 30_000;

/** What is done about images, of which the process tells as each one is decoded. */
export type Work = (
  signal: AbortSignal,
  /** To be called when the first image is handed over: nothing is waited for before. */
  began: () => void,
  onEvent: (event: OcrEvent) => void,
) => Promise<unknown>;

/**
 * Does work on images, each of which has its time to be decoded.
 * @throws GatewayError 400 for the image that took too long; what the work rejects with
 */
export async function inDecodeTime(
  images: readonly AskedImage[],
  signal: AbortSignal,
  work: Work,
  ms: number = DECODE_MS,
): Promise<void> {
  let decoded = 0;
  await inCodecTime(
    signal,
    (either, limit) =>
      work(
        either,
        () => limit.begin(ms),
        ({ type }) => {
          if (type !== "image") return;
          decoded += 1;
          if (decoded < images.length) limit.begin(ms);
          else limit.end();
        },
      ),
    (cause) => {
      const { param = "messages" } = images[decoded] ?? {};
      return badImage(param, "the image takes too long to decode", cause);
    },
  );
}
