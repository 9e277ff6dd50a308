import { GatewayError } from "../../contract/errors.ts";
import { DEFAULT_BOUNDS, type ImageBounds, ImageRefused } from "../../images/bounds.ts";
import { decode } from "../../images/decode.ts";
import { encode } from "../../images/encode.ts";
import { badImage } from "../../images/refusal.ts";
import { serve } from "../child-frame.ts";
import { enlarge, type Upscalers } from "./enlarge.ts";
import { openNetworks } from "./networks.ts";
import { CannotEnlarge, MAX_INPUT_PIXELS, planOf, TooMuchWork } from "./plan.ts";
import type { UpscaleAsk, UpscaleEvent, UpscaleSpeech } from "./protocol.ts";
import type { Pause, Raster } from "./raster.ts";

/** Entry of the process that enlarges images, one at a time. */

const BOUNDS: ImageBounds = { ...DEFAULT_BOUNDS, maxPixels: MAX_INPUT_PIXELS };

serve<UpscaleSpeech>({
  load: async ({ networks, range, threads }) => {
    const upscalers = await openNetworks(networks, range, threads);
    return {
      info: { scales: upscalers.scales },
      run: (ask, signal, tell) => upscaled(ask, upscalers, signal, tell),
    };
  },
});

async function upscaled(
  { image, wish, method, blend, type, quality }: UpscaleAsk,
  upscalers: Upscalers,
  signal: AbortSignal,
  tell: (event: UpscaleEvent) => void,
): Promise<UpscaleEvent> {
  try {
    const source = await decode(image, BOUNDS);
    const { width, height } = source;
    const plan = planOf(source, wish);
    const pixels = plan.kept.width * plan.kept.height;
    /** Lets cancellations and pings in between two tiles. */
    const pause: Pause = async (done) => {
      tell({ type: "progress", done, pixels });
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
    };
    const result = await enlarge(source, plan, method, blend, upscalers, pause);
    const file = await encode(encodable(result), type, quality);
    return {
      ...{ type: "done", image: file, width: result.width, height: result.height },
      ...{ from: { width, height }, factor: method === "none" ? 1 : plan.factor },
    };
  } catch (error) {
    if (error instanceof ImageRefused) throw badImage("image", error.message, error);
    if (!(error instanceof CannotEnlarge)) throw error;
    if (error instanceof TooMuchWork) throw badImage("image", error.message, error);
    const param = wish.by === "factor" ? "upscaling_resize" : "upscaling_resize_w";
    throw new GatewayError("invalid_request", `The image can't be enlarged so: ${error.message}.`, {
      param,
      fault: "request",
    });
  }
}

function encodable({ channels, ...rest }: Raster) {
  if (channels === 1) throw new Error("an image without colours");
  return { channels, ...rest };
}
