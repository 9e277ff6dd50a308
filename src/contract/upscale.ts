import { z } from "zod";
import type { Contract } from "./operations.ts";
import { routingFields } from "./routing.ts";

/**
 * Upscaling, as Arli AI and the Stable Diffusion web UIs have it. Both paths take the same fields and
 * answer with the same; they differ in their defaults (`UPSCALE_DEFAULTS`) and in the form of `info`.
 */

const side = z.int().min(1).max(16_384);
const share = z.number().min(0).max(1);
const none = (what: string) =>
  z.literal(0, `${what} is not there: leave it out, or send 0.`).nullish();

const fields = {
  image: z
    .string()
    .min(1)
    .describe(
      "The image in base64, or as a data URI: PNG, JPEG, WebP or GIF, up to 16.7 megapixels.",
    ),
  upscaler_1: z
    .string()
    .min(1)
    .max(100)
    .nullish()
    .describe("A name of GET /v1/upscalers. Default: ESRGAN_4x; None at /sdapi."),
  upscaler_2: z
    .string()
    .min(1)
    .max(100)
    .nullish()
    .describe("A second one, laid over the first: of the same model, or Lanczos or Nearest."),
  extras_upscaler_2_visibility: share
    .nullish()
    .describe("How much of the second is seen. Default 0."),
  resize_mode: z
    .literal([0, 1])
    .nullish()
    .describe("0: by upscaling_resize, 1: to cover upscaling_resize_w × upscaling_resize_h."),
  upscaling_resize: z
    .number()
    .min(1)
    .max(8)
    .nullish()
    .describe(
      "How many times as wide and high. Default: what the upscaler's name says; 2 at /sdapi.",
    ),
  upscaling_resize_w: side.nullish().describe("Pixels. Default 512."),
  upscaling_resize_h: side.nullish().describe("Pixels. Default 512."),
  upscaling_crop: z
    .boolean()
    .nullish()
    .describe("Cut to exactly that size, from the middle. Default true."),
  format: z
    .enum(["png", "jpeg", "webp"])
    .nullish()
    .describe("Of the image that is answered. Default png."),
  quality: z.int().min(1).max(100).nullish().describe("Of JPEG and WebP. Default 90."),
  gfpgan_visibility: none("face restoration"),
  codeformer_visibility: none("face restoration"),
  model: z
    .string()
    .nullish()
    .describe(
      "A model by its id, whichever upscalers others have; `arli/ESRGAN_4x` is one of a provider.",
    ),
  ...routingFields,
};

/** The body of `POST /v1/upscale-img` and `POST /sdapi/v1/extra-single-image`. Unknown fields are kept. */
export const UpscaleRequest = z.looseObject(fields);

/** What goes down the pipeline: the same, with the model that the upscaler's name stands for. */
export const UpscaleInput = z.looseObject({ ...fields, model: z.string().min(1) });
export type UpscaleInput = z.infer<typeof UpscaleInput>;

export const UpscaleInfo = z.looseObject({
  /** As the list has it. */
  upscaler: z.string(),
  scale_factor: z.number(),
  width: z.int(),
  height: z.int(),
  model: z.string(),
  format: z.enum(["png", "jpeg", "webp"]),
});
export type UpscaleInfo = z.infer<typeof UpscaleInfo>;

const answered = {
  images: z.array(z.string()).length(1).describe("The image in base64."),
  image: z.string().describe("The same, where web UIs look for it."),
  html_info: z.string(),
};

/** The answer of `POST /v1/upscale-img`. */
export const UpscaleAnswer = z.looseObject({ ...answered, info: UpscaleInfo });

/** The answer of `POST /sdapi/v1/extra-single-image`: `info` is JSON in a string. */
export const ExtrasAnswer = z.looseObject({
  ...answered,
  info: z.string(),
  parameters: z.looseObject({}),
});

/** As the web UIs list them. */
export const UpscalerList = z.array(
  z.looseObject({
    name: z.string(),
    /** The model that does it; null for a kernel. */
    model_name: z.string().nullable(),
    model_path: z.null(),
    model_url: z.null(),
    scale: z.number(),
  }),
);
export type UpscalerList = z.infer<typeof UpscalerList>;

/** What runs of the caller's images. */
export const Progress = z.looseObject({
  /** 0 to 1, of the oldest; 0 where none runs. */
  progress: z.number().min(0).max(1),
  /** Seconds until it is done, about; 0 where nobody can say. */
  eta_relative: z.number().min(0),
  state: z.looseObject({
    job: z.string(),
    job_count: z.int().min(0),
    job_timestamp: z.string(),
    job_no: z.int().min(0),
    sampling_step: z.int(),
    sampling_steps: z.int(),
    skipped: z.boolean(),
    interrupted: z.boolean(),
  }),
  current_image: z.null(),
  textinfo: z.string().nullable(),
});
export type Progress = z.infer<typeof Progress>;

/** What is told where nothing is limited: Arli AI's clients wait until a number is above 0. */
export const NO_PARALLEL_LIMIT = 2_147_483_647;

/** Requests for images that the caller's key may have running at once. */
export const ParallelRequests = z.looseObject({
  parallel_requests: z
    .int()
    .min(0)
    .describe(`Of image_parallel and concurrency the less; ${NO_PARALLEL_LIMIT}: no limit.`),
  remaining: z.int().min(0).describe("How many more may begin now."),
  message: z.string(),
  /** At all gateways. */
  running: z.int().min(0),
});
export type ParallelRequests = z.infer<typeof ParallelRequests>;

const contract = <const C extends Contract>(value: C): C => value;
const listed = {
  method: "GET",
  request: null,
  auth: "caller",
  meter: "none",
} as const;

export const UPSCALE = {
  upscale: contract({
    operation: "upscale",
    method: "POST",
    path: "/v1/upscale-img",
    request: UpscaleRequest,
    response: UpscaleAnswer,
    auth: "caller",
    meter: "none",
    summary: "Enlarge an image.",
  }),
  extras: contract({
    operation: "extrasSingleImage",
    method: "POST",
    path: "/sdapi/v1/extra-single-image",
    request: UpscaleRequest,
    response: ExtrasAnswer,
    auth: "caller",
    meter: "none",
    summary: "Enlarge an image, with the defaults of the Stable Diffusion web UIs.",
  }),
  upscalers: contract({
    ...listed,
    operation: "upscalers",
    path: "/v1/upscalers",
    aliases: ["/sdapi/v1/upscalers"],
    response: UpscalerList,
    summary: "List what enlarges images.",
  }),
  progress: contract({
    ...listed,
    operation: "progress",
    path: "/sdapi/v1/progress",
    response: Progress,
    summary: "Say how far the caller's image is.",
  }),
  interrupt: contract({
    operation: "interrupt",
    method: "POST",
    path: "/sdapi/v1/interrupt",
    request: null,
    response: z.object({}),
    auth: "caller",
    meter: "none",
    summary:
      "End the caller's own images that are being made or wait. Their requests are answered with 499.",
  }),
  parallel: contract({
    ...listed,
    operation: "parallelRequests",
    path: "/v1/parallel-requests",
    response: ParallelRequests,
    summary: "Say how many requests for images the key may have running, and has.",
  }),
};

/** What a request that does not say gets, by its path. `null`: what the upscaler's name says. */
export const UPSCALE_DEFAULTS = {
  [UPSCALE.upscale.path]: { upscaler_1: "ESRGAN_4x", upscaling_resize: null },
  [UPSCALE.extras.path]: { upscaler_1: "None", upscaling_resize: 2 },
} as const;

/** These need no network, and are done wherever images are enlarged; in the order they are listed. */
export const KERNELS = ["None", "Lanczos", "Nearest"] as const;
/** How many times kernels enlarge where a request does not say. */
export const KERNEL_SCALE = 4;
