import { GatewayError } from "../../contract/errors.ts";
import { UPSCALE, UPSCALE_DEFAULTS, UpscaleInfo } from "../../contract/upscale.ts";
import type { JsonObject } from "../../types.ts";
import { openAiVoice, type Voice } from "./voice.ts";

/**
 * Of paths that make images: what is wrong with a request is a 422, and its message is also where
 * clients of web UIs look for it (`detail`). The image is told twice, as Arli AI and as they have it.
 */
export const imageVoice: Voice = {
  ...openAiVoice,
  failure: (error) =>
    error.kind === "invalid_request"
      ? new GatewayError("unprocessable", error.message, { param: error.param, cause: error })
      : error,
  errorBody: (failure) => bodyOf(failure, false),
  plain: (body) => {
    const { image, info } = body;
    return { images: [image], info, image, html_info: htmlOf(info) };
  },
};

/** What a request that says nothing of it has. */
const { upscaling_resize } = UPSCALE_DEFAULTS[UPSCALE.extras.path];
const TOLD = { upscaling_resize };

/** The web UIs' own form: `info` is JSON in a string, and the parameters are told again. */
export const webUiVoice: Voice = {
  ...imageVoice,
  plain: (body) => ({
    ...imageVoice.plain(body),
    info: JSON.stringify(body.info),
    parameters: { ...TOLD, ...Object(body.parameters) },
  }),
};

/**
 * The same where a caller may have named a model: what is wrong with it is not said of an upscaler.
 * @param names whether one was, as far as is known when something is told
 */
export function namingVoice(voice: Voice, names: () => boolean): Voice {
  return { ...voice, errorBody: (failure) => bodyOf(failure, names()) };
}

/** Where no model was named, the one that can't do it is what the upscaler's name stands for. */
function bodyOf(failure: GatewayError, namesModel: boolean): JsonObject {
  const { error } = failure.toBody();
  const param = error.param === "model" && !namesModel ? "upscaler_1" : error.param;
  return { error: { ...error, param }, detail: error.message };
}

/** A line of their HTML. Nothing in it comes from a caller but numbers and names out of a list. */
function htmlOf(told: unknown): string {
  const { data: info } = UpscaleInfo.safeParse(told);
  if (info === undefined) return "";
  const { upscaler, scale_factor: factor, width, height } = info;
  return `<p>Upscale: ${factor}, Upscaler: ${upscaler}, Size: ${width}x${height}</p>`;
}
