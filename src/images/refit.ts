import { checkedFacts, type ImageBounds, ImageRefused } from "./bounds.ts";
import { openPicture, undecodable } from "./decode.ts";
import { written } from "./encode.ts";
import type { Refit } from "./fit.ts";

/** A file that is still too large is made smaller so often. */
const MAX_TRIES = 6;
const QUALITY = 88;
/** A side is divided by four at most in one try. */
const LEAST_SCALE = 0.25;

/**
 * Decodes an image and writes it as `refit` says: upright, scaled, sRGB, without metadata; of an animation
 * the first frame. A file that is still too large becomes a JPEG, and then a smaller one. Only for child
 * processes.
 * @throws ImageRefused
 */
export async function refitted(
  bytes: Uint8Array<ArrayBuffer>,
  { width, height, type: asked, maxBytes }: Refit,
  bounds: ImageBounds,
): Promise<Uint8Array<ArrayBuffer>> {
  const facts = checkedFacts(bytes, bounds);
  let scale = 1;
  let type = asked;
  try {
    if (type === "auto") {
      const { hasAlpha } = await (await openPicture(bytes, facts, bounds)).metadata();
      type = hasAlpha ? "image/png" : "image/jpeg";
    }
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const picture = await openPicture(bytes, facts, bounds);
      const size = {
        width: Math.max(1, Math.round(width * scale)),
        height: Math.max(1, Math.round(height * scale)),
      };
      const file = await written(picture.resize({ ...size, fit: "fill" }), type, QUALITY);
      if (maxBytes === null || file.length <= maxBytes) return file;
      if (type === "image/jpeg") {
        scale *= Math.max(LEAST_SCALE, Math.min(0.9, Math.sqrt(maxBytes / file.length) * 0.95));
      }
      type = "image/jpeg";
    }
  } catch (error) {
    throw undecodable(error);
  }
  throw new ImageRefused("the image can't be made as small as the model's provider takes it");
}
