import { GatewayError } from "../../contract/errors.ts";
import { ImageRefused } from "../../images/bounds.ts";
import { badImage } from "../../images/refusal.ts";
import { CannotEnlarge, CannotWrite, TooMuchWork, type Wish } from "./plan.ts";

/**
 * What the caller is told of an image that is refused or can't be enlarged so here: others may be able to.
 * Anything else that was thrown stays as it is.
 */
export function upscaleFailure(error: unknown, wish: Wish): unknown {
  if (error instanceof ImageRefused) return badImage("image", error.message, error);
  if (error instanceof TooMuchWork)
    return unable(`Invalid value for 'image': ${error.message}.`, "image");
  if (error instanceof CannotWrite) return unwritable(error);
  if (!(error instanceof CannotEnlarge)) return error;
  const param = wish.by === "factor" ? "upscaling_resize" : "upscaling_resize_w";
  return unable(`The image can't be enlarged so: ${error.message}.`, param);
}

/** A file of this type can't have it anywhere. */
function unwritable(cause: CannotWrite): GatewayError {
  const message = `Invalid value for 'format': ${cause.message}.`;
  return new GatewayError("invalid_request", message, { param: "format", fault: "request", cause });
}

function unable(message: string, param: string): GatewayError {
  return new GatewayError("invalid_request", message, { param, fault: "unsupported" });
}
