import type { UpscaleInput } from "../../contract/upscale.ts";
import { plainUpscaler } from "../../lib/upscaler-name.ts";
import type { Method } from "./enlarge.ts";

/** What asks for nothing where another field makes it moot: web UIs' clients send these always. */
const USUAL: Partial<Readonly<Record<keyof UpscaleInput, unknown>>> = {
  upscaling_resize_w: 512,
  upscaling_resize_h: 512,
  upscaling_crop: true,
};

/** The names of known fields that do nothing beside the others of this request. Pure. */
export function idleFields(input: UpscaleInput, method: Method): readonly string[] {
  const left = method === "none";
  const bySize = input.resize_mode === 1;
  const visibility = input.extras_upscaler_2_visibility ?? null;
  const second = plainUpscaler(input.upscaler_2 ?? "None") !== "none";
  const isPng = (input.format ?? "png") === "png";
  const idle: Partial<Record<keyof UpscaleInput, boolean>> = {
    resize_mode: left && bySize,
    upscaling_resize: bySize || (left && input.upscaling_resize !== 1),
    upscaling_resize_w: left || !bySize,
    upscaling_resize_h: left || !bySize,
    upscaling_crop: left || !bySize,
    // Of a second one that shall not be seen (0) nothing is.
    upscaler_2: second && (visibility === null || (left && visibility > 0)),
    extras_upscaler_2_visibility: (left || !second) && (visibility ?? 0) > 0,
    quality: isPng,
  };
  return Object.entries(idle).flatMap(([name, isIdle]) => {
    const value: unknown = Reflect.get(input, name) ?? null;
    return isIdle && value !== null && value !== Reflect.get(USUAL, name) ? name : [];
  });
}
