import { checkedFacts, DEFAULT_BOUNDS, type ImageBounds, ImageRefused } from "./bounds.ts";
import { type ImageFacts, withoutMetadata } from "./facts.ts";
import { type Picture, sharpOf } from "./picture.ts";

/** Decoded pixels: rows from the top, red green blue (and alpha) a byte each, in sRGB. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** 4 where the image has an alpha channel. */
  readonly channels: 3 | 4;
  /** `width * height * channels` bytes. */
  readonly pixels: Uint8Array;
}

/** How long the library may work on one image. Who has to be sure ends its process as well. */
export const DECODE_SECONDS = 20;

/**
 * Decodes an image, upright and without metadata; of an animation the first frame. Only for child
 * processes: a decoder that fails badly takes its process along, and sharp is not in every install.
 * @throws ImageRefused for bytes that break the bounds, and for those that can't be decoded
 */
export async function decode(
  bytes: Uint8Array<ArrayBuffer>,
  bounds: ImageBounds = DEFAULT_BOUNDS,
): Promise<Pixels> {
  const facts = checkedFacts(bytes, bounds);
  const picture = await openPicture(bytes, facts, bounds);
  try {
    const { data, info } = await picture
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    if (channels !== 3 && channels !== 4) throw new Error(`${channels} channels`);
    return { width, height, channels, pixels: data };
  } catch (error) {
    throw undecodable(error);
  }
}

/** The image as a picture that can be worked on: upright, sRGB, nothing decoded yet. */
export async function openPicture(
  bytes: Uint8Array<ArrayBuffer>,
  facts: ImageFacts,
  { maxPixels }: ImageBounds,
): Promise<Picture> {
  const sharp = await sharpOf();
  const picture = sharp(withoutMetadata(bytes), {
    failOn: "truncated",
    limitInputPixels: maxPixels,
    limitInputChannels: 5,
    pages: 1,
    sequentialRead: true,
  })
    .timeout({ seconds: DECODE_SECONDS })
    .toColourspace("srgb");
  // The orientation is our own reading: no other parser sees a stranger's EXIF. The library mirrors first.
  switch (facts.orientation) {
    case 1:
      return picture;
    case 2:
      return picture.flop();
    case 3:
      return picture.rotate(180);
    case 4:
      return picture.flip();
    case 5:
      return picture.flop().rotate(270);
    case 6:
      return picture.rotate(90);
    case 7:
      return picture.flop().rotate(90);
    case 8:
      return picture.rotate(270);
  }
}

/** What the library says of bytes is for nobody outside; the cause keeps it. */
export function undecodable(cause: unknown): ImageRefused {
  return new ImageRefused("the image can't be decoded: it is broken or cut off", { cause });
}
