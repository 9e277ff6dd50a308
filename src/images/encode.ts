import type { Pixels } from "./decode.ts";
import { type Picture, sharpOf } from "./picture.ts";

/** What images are written as. */
export type EncodedType = "image/png" | "image/jpeg" | "image/webp";

/** Most pixels of a side: PNG's and WebP's own bounds, and of JPEG what its library writes. */
export const LONGEST_SIDE: Readonly<Record<EncodedType, number>> = {
  "image/png": 2_147_483_647,
  "image/jpeg": 65_500,
  "image/webp": 16_383,
};

/**
 * Writes pixels as a file, without metadata; JPEG has no alpha, so that what is transparent becomes
 * white. Only for child processes.
 * @param quality 1 to 100, of JPEG and WebP; PNG loses nothing
 */
export async function encode(
  { width, height, channels, pixels }: Pixels,
  type: EncodedType,
  quality = 90,
): Promise<Uint8Array<ArrayBuffer>> {
  const sharp = await sharpOf();
  return written(sharp(pixels, { raw: { width, height, channels } }), type, quality);
}

/** A picture as a file of this type. */
export async function written(
  picture: Picture,
  type: EncodedType,
  quality: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await formatted(picture, type, quality).toBuffer());
}

function formatted(picture: Picture, type: EncodedType, quality: number): Picture {
  switch (type) {
    case "image/png":
      return picture.png({ compressionLevel: 6 });
    case "image/jpeg":
      return picture.flatten({ background: "white" }).jpeg({ quality });
    case "image/webp":
      return picture.webp({ quality });
  }
}
