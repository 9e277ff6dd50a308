import { GatewayError } from "../contract/errors.ts";
import { readImageHeader } from "../lib/image-header.ts";
import { PublicFetchError } from "../lib/public-fetch.ts";
import { dataUri, parseDataUri } from "./data-uri.ts";

/** Of one image. */
export const MAX_IMAGE_BYTES = 20_000_000;
const MAX_PIXELS = 50_000_000;

/**
 * An image of a request that can't be used. The words leak nothing of this network: an address that
 * is refused, one where nothing is, and a name that nobody knows are one and the same.
 */
export function badImage(param: string, why: string, cause?: unknown): GatewayError {
  const details = { param, fault: "request", cause } as const;
  return new GatewayError("invalid_request", `Invalid value for '${param}': ${why}.`, details);
}

/** The data URI of image bytes, under the type that they are, whatever anybody said. */
export function inlined(bytes: Uint8Array, param: string): string {
  return dataUri(checkedType(bytes, param), bytes);
}

/** A data URI that keeps the rules: the one that was given, or a cleaner one for the same bytes. */
export function checkedDataUri(url: string, param: string): string {
  const parsed = parseDataUri(url);
  if (parsed === null) throw badImage(param, "expected a data URI with valid base64");
  const type = checkedType(parsed.bytes, param);
  const clean = `data:${type};base64,`;
  const length = clean.length + Math.ceil(parsed.bytes.length / 3) * 4;
  const isClean = url.length === length && url.startsWith(clean);
  return isClean ? url : dataUri(type, parsed.bytes);
}

function checkedType(bytes: Uint8Array, param: string): string {
  if (bytes.length > MAX_IMAGE_BYTES) throw tooLarge(param);
  const header = readImageHeader(bytes);
  if (header === null) throw badImage(param, "it is no PNG, JPEG, GIF or WebP image");
  const { type, width, height } = header;
  if (width * height > MAX_PIXELS) {
    const most = `at most ${MAX_PIXELS / 1e6} million pixels are taken`;
    throw badImage(param, `the image has ${width} × ${height} pixels, and ${most}`);
  }
  return type;
}

function tooLarge(param: string): GatewayError {
  return badImage(param, `the image is larger than ${MAX_IMAGE_BYTES / 1e6} MB`);
}

/** What the caller is told of a fetch that failed. Anything else that was thrown stays as it is. */
export function fetchFailure(error: unknown, param: string): unknown {
  if (!(error instanceof PublicFetchError)) return error;
  switch (error.reason) {
    case "bad_url":
      return badImage(
        param,
        "expected a data URI, or an http(s) URL without user and password",
        error,
      );
    case "too_large":
      return tooLarge(param);
    case "too_slow":
      return badImage(param, "the image did not arrive in time", error);
    case "status":
      return badImage(param, `the image's server answered ${error.status} instead of 200`, error);
    case "unreachable":
      return badImage(param, "the image could not be fetched; its address must be public", error);
  }
}
