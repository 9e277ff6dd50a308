import { badImage } from "../../images/refusal.ts";
import { Patience } from "../../lib/patience.ts";
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
 * Does work on images, each of which has its time to be decoded: a decoder can't be told to stop. Where one
 * takes longer the work is left, and its process has to come to an end with it or is ended itself.
 * @throws GatewayError 400 for the image that took too long; what the work rejects with
 */
export async function inDecodeTime(
  images: readonly AskedImage[],
  signal: AbortSignal,
  work: Work,
  ms: number = DECODE_MS,
): Promise<void> {
  const stop = new AbortController();
  const limit = new Patience(ms, () => stop.abort());
  limit.pause();
  let decoded = 0;
  try {
    await work(
      AbortSignal.any([signal, stop.signal]),
      () => limit.wait(ms),
      ({ type }) => {
        if (type !== "image") return;
        decoded += 1;
        if (decoded < images.length) limit.wait(ms);
        else limit.end();
      },
    );
  } catch (error) {
    if (!limit.expired) throw error;
    const { param = "messages" } = images[decoded] ?? {};
    throw badImage(param, "the image takes too long to decode", error);
  } finally {
    limit.end();
  }
}
