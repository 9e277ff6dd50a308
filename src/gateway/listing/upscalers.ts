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
import type { Gateway } from "../gateway.ts";
import { preferencesOf } from "../preferences.ts";
import { enlarging, has, isKernel, type Place, usable } from "./enlarging.ts";
import { contractSpelling } from "./upscale-spellings.ts";

/** Models beside the first that are asked for an upscaler that several have. */
const MOST_OTHERS = 4;

/**
 * What enlarges images here for this caller: the kernels, if anything does them, and each model's networks
 * by their names. Of several by one name the one that answers to it is listed.
 */
export function listUpscalers(gateway: Gateway, caller: Caller): UpscalerList {
  const models = usable(gateway, caller);
  const without = { model_path: null, model_url: null };
  const kernels = models.some(({ file }) => file.upscale?.kernels === true) ? KERNELS : [];
  const networks = models.flatMap(({ id, file }) =>
    Object.entries(file.upscale?.names ?? {}).map(([name, scale]) => ({
      ...{ name, model_name: id, ...without, scale },
    })),
  );
  const first = new Map(networks.toReversed().map((each) => [plainUpscaler(each.name), each]));
  return [
    ...kernels.map((name) => ({ name, model_name: null, ...without, scale: KERNEL_SCALE })),
    ...networks.filter((each) => first.get(plainUpscaler(each.name)) === each),
  ];
}

/**
 * A request to enlarge an image with what its path does for those who don't say, and with the models
 * that are meant by its upscaler: where any would do, one that the caller may use.
 * @throws GatewayError 400 for a bad field and for an upscaler that is not here; 404 where nothing enlarges
 */
export function upscaleBody(
  gateway: Gateway,
  caller: Caller,
  headers: Headers,
  path: keyof typeof UPSCALE_DEFAULTS,
  body: unknown,
): JsonObject {
  const { lenient } = gateway.options;
  const { model, ...sent } = parseRequest(UpscaleRequest, contractSpelling(body), { lenient });
  const defaults = UPSCALE_DEFAULTS[path];
  const isNamed = typeof model === "string" && model !== "";
  // What nobody asked for, and where it does nothing, is not told as dropped.
  const isMoot =
    sent.resize_mode === 1 || isNone(sent.upscaler_1 ?? (isNamed ? null : defaults.upscaler_1));
  const asked = isMoot
    ? sent
    : { ...sent, upscaling_resize: sent.upscaling_resize ?? defaults.upscaling_resize };
  if (isNamed) return { ...asked, ...named(gateway, model, sent.provider) };
  const place = preferencesOf({ model: "", provider: sent.provider }, headers);
  const first = sent.upscaler_1 ?? defaults.upscaler_1;
  const [meant, ...others] = modelsFor(gateway, caller, place, first, sent.upscaler_2 ?? null);
  const [any] = usable(gateway, caller, place);
  // Nobody named the default: another model's own does as well where that is not the caller's.
  const isDefault = (sent.upscaler_1 ?? null) === null && !isKernel(first);
  if (isDefault && any !== undefined && !usable(gateway, caller, place).includes(meant))
    return { ...asked, model: any.id };
  const more = place.allowFallbacks ? others.slice(0, MOST_OTHERS).map(({ id }) => id) : [];
  const models = [...more, ...(sent.models ?? [])];
  return {
    ...{ ...asked, upscaler_1: first, model: meant.id },
    ...(models.length === 0 ? {} : { models }),
  };
}

function isNone(name: string | null): boolean {
  return plainUpscaler(name ?? "") === "none";
}

/** A model by its name; `arli/ESRGAN_4x` is one at that provider, and nowhere else. */
function named(gateway: Gateway, name: string, wishes: object | null | undefined): JsonObject {
  const model = gateway.models.resolve(name);
  const [owner = ""] = name.trim().split("/");
  if (model?.file.upscale === undefined || model.id.toLowerCase() === name.trim().toLowerCase())
    return { model: name };
  const isPlace = gateway.models
    .targets(model)
    .some(({ provider }) => provider.toLowerCase() === owner.toLowerCase());
  return isPlace ? { model: model.id, provider: { ...wishes, only: [owner] } } : { model: name };
}

/** Those that have the upscaler, best first: of a kernel only one, which is as good as any. */
function modelsFor(
  gateway: Gateway,
  caller: Caller,
  place: Place,
  first: string,
  second: string | null,
): readonly [Model, ...Model[]] {
  const able = usable(gateway, caller, place);
  const all = enlarging(gateway);
  if (all.length === 0)
    throw new GatewayError("model_not_found", "Nothing here enlarges images.", {
      param: "upscaler_1",
    });
  const having = (name: string): Model[] => {
    const can = able.filter((model) => has(model, name));
    return can.length > 0 ? can : all.filter((model) => has(model, name));
  };
  const [own, ...others] = having(first);
  if (own === undefined) throw noUpscaler(gateway, caller, first);
  if (!isKernel(first)) return [own, ...others];
  const partner = second === null || isKernel(second) ? undefined : having(second)[0];
  return [partner ?? own];
}

function noUpscaler(gateway: Gateway, caller: Caller, name: string): GatewayError {
  const names = listUpscalers(gateway, caller).map((each) => each.name);
  const hint = names.length === 0 ? "none is here" : `there are ${names.join(", ")}`;
  return new GatewayError(
    "invalid_request",
    `There is no upscaler '${name.slice(0, 60)}': ${hint}. GET /v1/upscalers lists them.`,
    { param: "upscaler_1", fault: "request" },
  );
}
