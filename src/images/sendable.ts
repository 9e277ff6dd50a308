import { GatewayError } from "../contract/errors.ts";
import { type ImageType, imageFacts, withoutMetadata } from "./facts.ts";
import { type ImageLimits, refitOf } from "./fit.ts";
import type { Asker, Refitter } from "./refitter.ts";
import { imageFailure } from "./refusal.ts";
import type { CheckedImage, ImageSource } from "./source.ts";

/** An image as it leaves this gateway. */
export interface SentImage {
  readonly type: ImageType;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Who gets the image, and where it stands in the request. */
export interface Receiver {
  readonly id: string;
  readonly limits: ImageLimits;
  readonly param: string;
}

/**
 * The image as its receiver takes it: without metadata, upright, within its limits. Nothing is decoded where
 * nothing has to change. Without the library that decodes, an image keeps its orientation as its only
 * metadata, and one beyond the limits is refused.
 * @throws GatewayError 400 503; or the signal's reason
 */
export async function sendable(
  { bytes, facts }: CheckedImage,
  { id, limits, param }: Receiver,
  refitter: Pick<Refitter, "refit"> | null,
  { bounds }: ImageSource,
  asker: Asker,
): Promise<SentImage> {
  const clean = withoutMetadata(bytes, facts.orientation);
  const refit = refitOf(facts, clean.length, limits);
  if (refit === null) return { type: facts.type, bytes: clean };
  if (refitter === null) {
    const lying = refitOf({ ...facts, orientation: 1 }, clean.length, limits);
    if (lying === null) return { type: facts.type, bytes: clean };
    const most = said(limits);
    throw new GatewayError(
      "invalid_request",
      `Invalid value for '${param}': '${id}' takes images of at most ${most}, and making it smaller needs the package sharp: npm install.`,
      { param, fault: "unsupported" },
    );
  }
  try {
    const file = await refitter.refit(bytes, refit, bounds, asker);
    return { type: imageFacts(file)?.type ?? "image/png", bytes: file };
  } catch (error) {
    throw imageFailure(error, param, bounds);
  }
}

function said({ maxSide, maxPixels, maxBytes }: ImageLimits): string {
  return [
    maxSide === null ? null : `${maxSide} pixels a side`,
    maxPixels === null ? null : `${maxPixels / 1e6} million pixels`,
    maxBytes === null ? null : `${maxBytes / 1e6} MB`,
  ]
    .filter((part) => part !== null)
    .join(" and ");
}
