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
import type { JsonObject, Model } from "../../types.ts";
import { type Gateway, isServable } from "../gateway.ts";

/** What enlarges images here: the kernels, if anything does, and each model's networks by their names. */
export function listUpscalers(gateway: Gateway): UpscalerList {
  const models = enlarging(gateway).filter((model) => isServable(gateway, model));
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
 * that is meant by its upscaler.
 * @throws GatewayError 400 for a bad field; 404 where nothing of that name is here
 */
export function upscaleBody(
  gateway: Gateway,
  path: keyof typeof UPSCALE_DEFAULTS,
  body: unknown,
): JsonObject {
  const { lenient } = gateway.options;
  const { model, ...asked } = parseRequest(UpscaleRequest, body, { lenient });
  if (typeof model === "string" && model !== "") return { ...asked, model };
  const defaults = UPSCALE_DEFAULTS[path];
  const upscaler_1 = asked.upscaler_1 ?? defaults.upscaler_1;
  const upscaling_resize = asked.upscaling_resize ?? defaults.upscaling_resize;
  const { upscaler_2 } = asked;
  return {
    ...asked,
    ...{ upscaler_1, upscaling_resize },
    model: modelFor(gateway, upscaler_1, upscaler_2 ?? null).id,
  };
}

function modelFor(gateway: Gateway, first: string, second: string | null): Model {
  const models = enlarging(gateway);
  const [any] = models.toSorted(
    (one, other) => Number(isServable(gateway, other)) - Number(isServable(gateway, one)),
  );
  if (any === undefined)
    throw new GatewayError("model_not_found", "Nothing here enlarges images.", {
      param: "upscaler_1",
    });
  const own = named(models, first);
  if (own !== undefined) return own;
  if (!isKernel(first)) {
    const all = listUpscalers(gateway).map(({ name }) => name);
    const hint = all.length === 0 ? "none is here" : `there are ${all.join(", ")}`;
    throw new GatewayError(
      "model_not_found",
      `There is no upscaler '${first.slice(0, 60)}': ${hint}. GET /v1/upscalers lists them.`,
      { param: "upscaler_1" },
    );
  }
  return (second === null ? undefined : named(models, second)) ?? any;
}

function enlarging(gateway: Gateway): Model[] {
  return gateway.models.models().filter(({ file }) => file.engine === "upscale");
}

function named(models: readonly Model[], name: string): Model | undefined {
  const plain = plainUpscaler(name);
  return models.find(({ file }) =>
    Object.keys(file.upscale?.names ?? {}).some((own) => plainUpscaler(own) === plain),
  );
}

function isKernel(name: string): boolean {
  return KERNELS.some((kernel) => plainUpscaler(kernel) === plainUpscaler(name));
}
