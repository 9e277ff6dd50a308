import { GatewayError } from "../../contract/errors.ts";
import {
  KERNEL_SCALE,
  KERNELS,
  UPSCALE_DEFAULTS,
  UpscaleRequest,
  type UpscalerList,
} from "../../contract/upscale.ts";
import { parseRequest } from "../../contract/validate.ts";
import { plainUpscaler } from "../../lib/upscaler-name.ts";
import type { Caller, JsonObject, Model } from "../../types.ts";
import { type Gateway, isServable } from "../gateway.ts";
import { mayUseModel } from "../permit.ts";

/** What enlarges images here for this caller: the kernels, if anything does, and each model's networks by their names. */
export function listUpscalers(gateway: Gateway, caller: Caller): UpscalerList {
  const models = usable(gateway, caller);
  if (models.length === 0) return [];
  const without = { model_path: null, model_url: null };
  return [
    ...KERNELS.map((name) => ({ name, model_name: null, ...without, scale: KERNEL_SCALE })),
    ...models.flatMap(({ id, file }) =>
      Object.entries(file.upscale?.names ?? {}).map(([name, scale]) => ({
        ...{ name, model_name: id, ...without, scale },
      })),
    ),
  ];
}

/**
 * A request to enlarge an image with what its path does for those who don't say, and with the model
 * that is meant by its upscaler: where any would do, one that the caller may use.
 * @throws GatewayError 400 for a bad field and for an upscaler that is not here; 404 where nothing enlarges
 */
export function upscaleBody(
  gateway: Gateway,
  caller: Caller,
  path: keyof typeof UPSCALE_DEFAULTS,
  body: unknown,
): JsonObject {
  const { lenient } = gateway.options;
  const { model, ...asked } = parseRequest(UpscaleRequest, body, { lenient });
  const defaults = UPSCALE_DEFAULTS[path];
  const upscaling_resize = asked.upscaling_resize ?? defaults.upscaling_resize;
  if (typeof model === "string" && model !== "") return { ...asked, upscaling_resize, model };
  const first = asked.upscaler_1 ?? defaults.upscaler_1;
  const meant = modelFor(gateway, caller, first, asked.upscaler_2 ?? null);
  const able = usable(gateway, caller);
  const [any] = able;
  // Nobody named the default: another model's own does as well where that is not the caller's.
  if ((asked.upscaler_1 ?? null) === null && any !== undefined && !able.includes(meant))
    return { ...asked, upscaling_resize, model: any.id };
  return { ...asked, upscaler_1: first, upscaling_resize, model: meant.id };
}

function modelFor(gateway: Gateway, caller: Caller, first: string, second: string | null): Model {
  const all = enlarging(gateway);
  const able = usable(gateway, caller);
  const named = (name: string) => having(able, name) ?? having(all, name);
  const any = able[0] ?? all[0];
  if (any === undefined)
    throw new GatewayError("model_not_found", "Nothing here enlarges images.", {
      param: "upscaler_1",
    });
  const own = named(first);
  if (own !== undefined) return own;
  if (!isKernel(first)) {
    const names = listUpscalers(gateway, caller).map(({ name }) => name);
    const hint = names.length === 0 ? "none is here" : `there are ${names.join(", ")}`;
    throw new GatewayError(
      "invalid_request",
      `There is no upscaler '${first.slice(0, 60)}': ${hint}. GET /v1/upscalers lists them.`,
      { param: "upscaler_1", fault: "request" },
    );
  }
  return (second === null ? undefined : named(second)) ?? any;
}

/** Those that can answer, and that the caller's key may have answer. */
function usable(gateway: Gateway, caller: Caller): Model[] {
  return enlarging(gateway).filter(
    (model) => mayUseModel(caller, model) && isServable(gateway, model),
  );
}

function enlarging(gateway: Gateway): Model[] {
  return gateway.models.models().filter(({ file }) => file.engine === "upscale");
}

function having(models: readonly Model[], name: string): Model | undefined {
  const plain = plainUpscaler(name);
  return models.find(({ file }) =>
    Object.keys(file.upscale?.names ?? {}).some((own) => plainUpscaler(own) === plain),
  );
}

function isKernel(name: string): boolean {
  return KERNELS.some((kernel) => plainUpscaler(kernel) === plainUpscaler(name));
}
