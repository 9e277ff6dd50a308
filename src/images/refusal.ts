import { GatewayError } from "../contract/errors.ts";
import { PublicFetchError } from "../lib/public-fetch.ts";
import { DEFAULT_BOUNDS, type ImageBounds, ImageRefused, tooManyBytes } from "./bounds.ts";

/**
 * An image of a request that can't be used, with its place. The words leak nothing of this network: an
 * address that is refused, one where nothing is, and a name that nobody knows are one and the same.
 */
export function badImage(param: string, why: string, cause?: unknown): GatewayError {
  const details = { param, fault: "request", cause } as const;
  return new GatewayError("invalid_request", `Invalid value for '${param}': ${why}.`, details);
}

/** What the caller is told of an image that could not be had or is refused. Anything else that was thrown stays as it is. */
export function imageFailure(
  error: unknown,
  param: string,
  bounds: ImageBounds = DEFAULT_BOUNDS,
): unknown {
  if (error instanceof ImageRefused) return badImage(param, error.message, error);
  if (!(error instanceof PublicFetchError)) return error;
  switch (error.reason) {
    case "bad_url":
      return badImage(
        param,
        "expected a data URI, or an http(s) URL without user and password",
        error,
      );
    case "too_large":
      return badImage(param, tooManyBytes(bounds).message, error);
    case "too_slow":
      return badImage(param, "the image did not arrive in time", error);
    case "status":
      return badImage(param, `the image's server answered ${error.status} instead of 200`, error);
    case "unreachable":
      return badImage(param, "the image could not be fetched; its address must be public", error);
  }
}
