import { GatewayError } from "../../contract/errors.ts";
import { ImageRefused } from "../../images/bounds.ts";
import { badImage } from "../../images/refusal.ts";
import { CannotEnlarge, TooMuchWork, type Wish } from "./plan.ts";

/** What the caller is told of an image that is refused or can't be enlarged so. Anything else that was thrown stays as it is. */
export function upscaleFailure(error: unknown, wish: Wish): unknown {
  if (error instanceof ImageRefused || error instanceof TooMuchWork)
    return badImage("image", error.message, error);
  if (!(error instanceof CannotEnlarge)) return error;
  const param = wish.by === "factor" ? "upscaling_resize" : "upscaling_resize_w";
  return new GatewayError("invalid_request", `The image can't be enlarged so: ${error.message}.`, {
    param,
    fault: "request",
  });
}
