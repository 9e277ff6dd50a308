/** The formats that are taken. */
export type ImageType = "image/png" | "image/jpeg" | "image/gif" | "image/webp";

/** How an image has to be turned to stand upright, as EXIF counts: 1 is as it is stored. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** What an image's bytes say of it, without decoding a pixel. */
export interface ImageFacts {
  readonly type: ImageType;
  /** Pixels of one frame, as stored: before it is turned. */
  readonly width: number;
  readonly height: number;
  /** Counted up to `MAX_COUNTED_FRAMES`, so that no count takes long. */
  readonly frames: number;
  /** How often a decoder goes over all of a JPEG's pixels; 1 for the other formats. */
  readonly scans: number;
  readonly orientation: Orientation;
}

/** One format: how it is told, read and cleaned. Each takes a bounded number of steps on any bytes. */
export interface Format {
  readonly type: ImageType;
  /** By its first bytes. */
  is(bytes: Uint8Array): boolean;
  /** Null where it makes no sense. @throws RangeError where the bytes end inside what has to be read, or have too many pieces */
  facts(view: DataView): ImageFacts | null;
  /**
   * The same picture without what it says besides: EXIF, XMP, comments, thumbnails, and whatever
   * follows its end. Its orientation stays where one other than 1 is given, and a colour profile where
   * it is of usual size. Pieces of the bytes in their order; broken ones are left broken.
   * @throws RangeError for more pieces than `facts` takes
   */
  stripped(bytes: Uint8Array, orientation: Orientation): readonly Uint8Array[];
}

export const MAX_COUNTED_FRAMES = 10_000;
/** More chunks than any encoder makes of the largest image that is taken; a file with more is none. */
export const MAX_CHUNKS = 20_000;
/** The same of GIF's blocks, which are 255 bytes long. */
export const MAX_BLOCKS = 200_000;

/** @throws RangeError as for bytes that end too early */
export function tooManyPieces(): RangeError {
  return new RangeError("the image has too many pieces");
}
/** Colour profiles are some kilobytes long; those of printers up to a few megabytes. */
export const MAX_PROFILE_BYTES = 4_000_000;

/** So many bytes as Latin-1; empty where there are fewer. */
export function text(bytes: Uint8Array, at: number, length: number): string {
  if (at + length > bytes.length) return "";
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

export function bytesOf({ buffer, byteOffset, byteLength }: DataView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
