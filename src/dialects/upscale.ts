import { GatewayError } from "../contract/errors.ts";
import type { UpscaleInfo, UpscaleInput } from "../contract/upscale.ts";
import { imageFacts } from "../images/facts.ts";
import { uprightSize } from "../images/fit.ts";
import type { AttemptContext, Reply, Target } from "../types.ts";
import { ask, cannot } from "./ask.ts";
import type { Images } from "./images.ts";
import { translateUpscale } from "./upscale-request.ts";
import { upscaledImage } from "./upscaled-image.ts";
import type { Upstream } from "./upstream.ts";

/**
 * Has a provider enlarge an image. The body is what an engine of our own gives: `image` (base64), `info`
 * and `parameters`. The image goes there without metadata, and comes back as its server made it.
 * @throws GatewayError with the fault `unsupported` where it has no such endpoint
 */
export function upscaling(upstream: Upstream, images: Images) {
  const { settings } = upstream;
  const { id, file } = settings;
  const path = file.paths.upscale;

  return async (target: Target, input: UpscaleInput, context: AttemptContext): Promise<Reply> => {
    const { meter } = context;
    if (path === false) throw cannot(id, "enlarges no images");
    if (target.model.file.upscale === undefined) throw noUpscaler(target);
    const { body, upscaler, dropped } = translateUpscale(settings, target, input);
    for (const name of dropped) context.dropped.add(name);
    const { bytes } = await images.upload(input.image, "image", id, context);
    const source = uprightSize(factsOf(bytes));
    meter.startedAt = performance.now();
    // It is at work from here on, whether or not its caller waits for the end.
    meter.source = "estimated";
    meter.images = 1;
    const sent = { ...body, image: bytes.toBase64() };
    const answer = await ask(upstream, target, path, sent, context);
    const image = upscaledImage(answer);
    if (image === null) throw noImage(id);
    const { base64, format, width, height } = image;
    meter.source = "counted";
    meter.pixels = width * height;
    const info: UpscaleInfo = {
      ...{ upscaler, scale_factor: Math.round((width / source.width) * 1000) / 1000 },
      ...{ width, height, model: target.model.id, format },
      ...{ source_width: source.width, source_height: source.height },
    };
    const { image: _, model: __, ...parameters } = input;
    return { kind: "json", body: { image: base64, info, parameters }, usage: null };
  };
}

function factsOf(bytes: Uint8Array) {
  const facts = imageFacts(bytes);
  if (facts === null) throw new Error("an image was lost");
  return facts;
}

function noImage(id: string): GatewayError {
  return new GatewayError("upstream_error", `'${id}' answered with no whole image.`, {
    fault: "broken",
  });
}

function noUpscaler({ model }: Target): GatewayError {
  return new GatewayError(
    "invalid_request",
    `The model ${model.id} enlarges no images: GET /v1/upscalers lists what does.`,
    { param: "model", fault: "request" },
  );
}

/** What enlarges images does nothing else. @throws GatewayError 400 */
export function refuseUpscaler({ model }: Target): void {
  if (model.file.upscale === undefined) return;
  throw new GatewayError(
    "invalid_request",
    `The model ${model.id} enlarges images: use /v1/upscale-img.`,
    { param: "model", fault: "request" },
  );
}
