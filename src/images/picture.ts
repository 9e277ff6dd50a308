import type { Sharp, default as SharpPackage } from "sharp";

export type Picture = Sharp;
type Library = typeof SharpPackage;

/** What may read bytes. Everything else the library knows (SVG, PDF, TIFF, HEIF, raw files) can't even be tried. */
const READERS = ["JpegBuffer", "PngBuffer", "WebpBuffer", "NsgifBuffer"];

let loading: Promise<Library> | null = null;

/**
 * The image library, loaded at the first call, in this process: for child processes only. One thread an
 * image, nothing kept of those before.
 */
export function sharpOf(): Promise<Library> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Library> {
  const { default: sharp } = await import("sharp");
  sharp.block({ operation: ["VipsForeignLoad"] });
  sharp.unblock({ operation: READERS.map((name) => `VipsForeignLoad${name}`) });
  sharp.cache(false);
  sharp.concurrency(1);
  return sharp;
}
