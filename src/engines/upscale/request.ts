import { GatewayError } from "../../contract/errors.ts";
import { KERNEL_SCALE, KERNELS, type UpscaleInput } from "../../contract/upscale.ts";
import type { EncodedType } from "../../images/encode.ts";
import { badImage } from "../../images/refusal.ts";
import { plainUpscaler } from "../../lib/upscaler-name.ts";
import type { Blend, Method } from "./enlarge.ts";
import type { UpscaleAsk } from "./protocol.ts";

/** What upscalers of a model are called, and how many times they enlarge. */
export type UpscalerNames = Readonly<Record<string, number>>;

/** A request as the child takes it, and the name of the upscaler as the list has it. */
export interface Asked {
  readonly ask: Omit<UpscaleAsk, "owner" | "bounds">;
  readonly upscaler: string;
  readonly format: NonNullable<UpscaleInput["format"]>;
}

interface Named {
  readonly name: string;
  readonly method: Method;
  readonly scale: number;
}

const TYPES: Readonly<Record<Asked["format"], EncodedType>> = {
  png: "image/png",
  jpeg: "image/jpeg",
  webp: "image/webp",
};
const METHODS: Readonly<Record<(typeof KERNELS)[number], Method>> = {
  None: "none",
  Lanczos: "lanczos",
  Nearest: "nearest",
};
const DEFAULT_SIDE = 512;

/**
 * What a request means to a model with these names. Without a name it is the model's own network, by
 * the largest of its scales up to 4.
 * @throws GatewayError 400 with its `param`
 */
export function askedOf(input: UpscaleInput, names: UpscalerNames): Asked {
  const first = input.upscaler_1 ?? usual(names);
  const named = find(first, names, "upscaler_1");
  const factor = input.upscaling_resize ?? named.scale;
  const format = input.format ?? "png";
  const wish: UpscaleAsk["wish"] =
    input.resize_mode === 1
      ? {
          by: "size",
          width: input.upscaling_resize_w ?? DEFAULT_SIDE,
          height: input.upscaling_resize_h ?? DEFAULT_SIDE,
          crop: input.upscaling_crop ?? true,
        }
      : { by: "factor", factor };
  return {
    ask: {
      image: bytesOf(input.image),
      wish,
      method: named.method,
      blend: blendOf(input, names),
      type: TYPES[format],
      quality: input.quality ?? 90,
    },
    upscaler: named.name,
    format,
  };
}

function usual(names: UpscalerNames): string {
  const scales = Object.entries(names).toSorted(([, one], [, other]) => one - other);
  return scales.findLast(([, scale]) => scale <= KERNEL_SCALE)?.[0] ?? "Lanczos";
}

function find(name: string, names: UpscalerNames, param: string): Named {
  const plain = plainUpscaler(name);
  for (const kernel of KERNELS)
    if (plainUpscaler(kernel) === plain)
      return { name: kernel, method: METHODS[kernel], scale: KERNEL_SCALE };
  for (const [own, scale] of Object.entries(names))
    if (plainUpscaler(own) === plain) return { name: own, method: "network", scale };
  const all = [...KERNELS, ...Object.keys(names)].join(", ");
  throw new GatewayError(
    "invalid_request",
    `Invalid value for '${param}': this model has no upscaler '${name.slice(0, 60)}', but ${all}.`,
    { param, fault: "request" },
  );
}

function blendOf(input: UpscaleInput, names: UpscalerNames): Blend | null {
  const visibility = input.extras_upscaler_2_visibility ?? 0;
  if (input.upscaler_2 === null || input.upscaler_2 === undefined || visibility === 0) return null;
  const { method } = find(input.upscaler_2, names, "upscaler_2");
  return method === "none" ? null : { method, visibility };
}

const BASE64_HEAD = /^data:[^,]{0,200},/i;

/** Of base64, or of a data URI, whatever it says that it is. */
function bytesOf(image: string): Uint8Array<ArrayBuffer> {
  if (/^https?:/i.test(image))
    throw badImage("image", "expected base64 or a data URI; URLs are not fetched here");
  const head = BASE64_HEAD.exec(image.slice(0, 300))?.[0] ?? "";
  try {
    return Uint8Array.fromBase64(image.slice(head.length));
  } catch (error) {
    if (error instanceof SyntaxError) throw badImage("image", "expected valid base64", error);
    throw error;
  }
}
