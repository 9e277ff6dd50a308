import { GatewayError } from "../contract/errors.ts";
import { KERNEL_SCALE, KERNELS, UpscaleInput } from "../contract/upscale.ts";
import { plainUpscaler } from "../lib/upscaler-name.ts";
import type { JsonObject, ProviderSettings, Target } from "../types.ts";

/** A request to enlarge an image in a server's words. */
export interface UpscaleWords {
  /** All but the image. */
  readonly body: JsonObject;
  /** What does it, as lists have it. */
  readonly upscaler: string;
  /** Names of what was asked for and this server can't do. */
  readonly dropped: readonly string[];
}

interface Named {
  readonly name: string;
  readonly scale: number;
  readonly isKernel: boolean;
}

/** Nothing of the enlargement: who asked, or what is the gateway's own. */
const OTHERS: ReadonlySet<string> = new Set(["image", "model", "user", "metadata"]);
const FACES: readonly string[] = ["gfpgan_visibility", "codeformer_visibility"];
const SIZE = ["upscaling_resize_w", "upscaling_resize_h", "upscaling_crop"] as const;

/**
 * The request as the provider's form has it. A web UI is told every factor, since its own default is not
 * the upscaler's; Arli AI takes none, and enlarges by what the upscaler's name says. The format of the
 * answer is ours alone to choose: elsewhere it is asked for in vain. Pure.
 * @throws GatewayError 400 with its `param`; `unsupported` where another server may do it
 */
export function translateUpscale(
  { id, file }: ProviderSettings,
  target: Target,
  input: UpscaleInput,
): UpscaleWords {
  const names = target.model.file.upscale?.names ?? {};
  const form = file.quirks.upscale_form;
  const asked = input.upscaler_1 ?? null;
  const named = asked === null ? usual(target, names) : find(asked, names, "upscaler_1");
  if (form === "covey") return { ...ownForm(target, input, names, named), upscaler: named.name };
  const isOther = isOneOf(names, target.upstreamId) && !isSame(named.name, target.upstreamId);
  if (form === "arli" && (named.isKernel || isOther)) throw cantDo(id, named.name);
  // Each of its upscalers is a model of its own there, by whatever name it is offered here.
  const there = named.isKernel ? named.name : target.upstreamId;
  const words = form === "arli" ? arliForm(input, named) : webForm(input, named, names);
  return { ...words, body: { ...words.body, upscaler_1: there }, upscaler: named.name };
}

/** Another Covey takes all of it. A model that it calls as we do is one; else it is one of its upscalers. */
function ownForm(
  { upstreamId }: Target,
  input: UpscaleInput,
  names: Readonly<Record<string, number>>,
  named: Named,
): Pick<UpscaleWords, "body" | "dropped"> {
  const isName = isOneOf(names, upstreamId);
  const { image: _, model: __, ...rest } = input;
  const upscaler_1 = isName && !named.isKernel ? upstreamId : named.name;
  return { body: { ...rest, upscaler_1, ...(isName ? {} : { model: upstreamId }) }, dropped: [] };
}

function isSame(one: string, other: string): boolean {
  return plainUpscaler(one) === plainUpscaler(other);
}

function isOneOf(names: Readonly<Record<string, number>>, name: string): boolean {
  return Object.keys(names).some((each) => isSame(each, name));
}

function arliForm(input: UpscaleInput, { scale }: Named): Pick<UpscaleWords, "body" | "dropped"> {
  const bySize = input.resize_mode === 1;
  const other = !bySize && (input.upscaling_resize ?? scale) !== scale;
  return {
    body: {},
    dropped: [
      ...(bySize ? ["resize_mode", ...SIZE.filter((name) => isSent(input, name))] : []),
      ...(other ? ["upscaling_resize"] : []),
      ...(blends(input) ? ["upscaler_2"] : []),
      ...inVain(input),
      ...unknownIn(input),
    ],
  };
}

function webForm(
  input: UpscaleInput,
  named: Named,
  names: Readonly<Record<string, number>>,
): Pick<UpscaleWords, "body" | "dropped"> {
  const bySize = input.resize_mode === 1;
  const second = blends(input) ? find(input.upscaler_2 ?? "None", names, "upscaler_2").name : null;
  const size = {
    upscaling_resize_w: input.upscaling_resize_w ?? 512,
    upscaling_resize_h: input.upscaling_resize_h ?? 512,
    upscaling_crop: input.upscaling_crop ?? true,
  };
  const blend = {
    upscaler_2: second,
    extras_upscaler_2_visibility: input.extras_upscaler_2_visibility,
  };
  const others = unknownIn(input).map((name) => [name, Reflect.get(input, name)]);
  return {
    body: {
      ...Object.fromEntries(others),
      resize_mode: bySize ? 1 : 0,
      ...(bySize ? size : { upscaling_resize: input.upscaling_resize ?? named.scale }),
      ...(second === null ? {} : blend),
    },
    dropped: inVain(input),
  };
}

/** The image comes as its server makes it, which is PNG nearly everywhere. */
function inVain({ format, quality }: UpscaleInput): string[] {
  if ((format ?? "png") === "png") return [];
  return (quality ?? null) === null ? ["format"] : ["format", "quality"];
}

function blends({
  upscaler_2: second,
  extras_upscaler_2_visibility: visibility,
}: UpscaleInput): boolean {
  return (
    (second ?? null) !== null && plainUpscaler(second ?? "") !== "none" && (visibility ?? 0) > 0
  );
}

function isSent(input: UpscaleInput, name: string): boolean {
  return (Reflect.get(input, name) ?? null) !== null;
}

const KNOWN: ReadonlySet<string> = new Set([
  ...["upscaler_1", "upscaler_2", "extras_upscaler_2_visibility", "resize_mode"],
  ...["upscaling_resize", ...SIZE, "format", "quality", ...FACES],
]);

/** What no contract names: a web UI may know it. */
function unknownIn(input: UpscaleInput): string[] {
  return Object.keys(input).filter(
    (name) => !KNOWN.has(name) && !OTHERS.has(name) && isSent(input, name),
  );
}

/** The upscaler that a target is where the request names none. */
function usual({ upstreamId }: Target, names: Readonly<Record<string, number>>): Named {
  const all = Object.entries(names);
  const same = all.find(([name]) => isSame(name, upstreamId));
  const sorted = all.toSorted(([, one], [, other]) => one - other);
  const [name, scale] = same ??
    sorted.findLast(([, each]) => each <= KERNEL_SCALE) ??
    sorted[0] ?? [upstreamId, KERNEL_SCALE];
  return { name, scale, isKernel: false };
}

function find(asked: string, names: Readonly<Record<string, number>>, param: string): Named {
  const kernel = KERNELS.find((name) => isSame(name, asked));
  if (kernel !== undefined) return { name: kernel, scale: KERNEL_SCALE, isKernel: true };
  const own = Object.entries(names).find(([name]) => isSame(name, asked));
  if (own !== undefined) return { name: own[0], scale: own[1], isKernel: false };
  throw new GatewayError(
    "invalid_request",
    `Invalid value for '${param}': this model has no upscaler '${asked.slice(0, 60)}', but ${[...KERNELS, ...Object.keys(names)].join(", ")}.`,
    { param, fault: "request" },
  );
}

function cantDo(id: string, what: string): GatewayError {
  return new GatewayError("invalid_request", `'${id}' has no upscaler '${what}'.`, {
    param: "upscaler_1",
    fault: "unsupported",
  });
}

/** Names of what would be dropped; those of what would be refused too. Never throws. */
export function unsupportedUpscale(
  settings: ProviderSettings,
  target: Target,
  input: JsonObject,
): readonly string[] {
  try {
    return translateUpscale(settings, target, UpscaleInput.parse(input)).dropped;
  } catch (error) {
    if (error instanceof GatewayError) return [error.param ?? "upscaler_1"];
    throw error;
  }
}
