import { plainUpscaler } from "../lib/upscaler-name.ts";
import { itemsIn } from "./list-items.ts";
import type { ListedModel } from "./listed.ts";

/** An upscaler as its server calls it, and how many times it enlarges where nobody says. */
export interface ListedUpscaler {
  readonly name: string;
  readonly scale: number;
}

const MOST = 1_000;
/** As the contract has it for requests. */
const LONGEST_NAME = 100;
/** What web UIs enlarge by where they know no better. */
const USUAL_SCALE = 4;
/** Not models, but arithmetic: where a server's form has them at all, they are always there. */
const KERNELS: ReadonlySet<string> = new Set(["none", "lanczos", "nearest"]);

/**
 * The upscalers in a server's list of them, as models that enlarge images: names, or objects with a `name`
 * and perhaps a `scale`, as A1111, SD.Next and Forge have them. Null for a text that is no list. Yields
 * between items.
 */
export function* readUpscalers(text: string): Generator<void, ListedModel[] | null> {
  const items = itemsIn(text, ["data", "upscalers", "models"]);
  if (items === null) return null;
  const models = new Map<string, ListedModel>();
  for (const item of items.slice(0, MOST)) {
    const upscaler = upscalerIn(item);
    const id = upscaler === null ? null : idOf(upscaler.name);
    if (upscaler !== null && id !== null && !models.has(id)) models.set(id, modelOf(id, upscaler));
    yield;
  }
  const isNone = models.size === 0 && !items.some((item) => nameIn(item) !== null);
  return isNone && items.length > 0 ? null : [...models.values()];
}

/** How many times an upscaler's name says that it enlarges: `ESRGAN_4x`, `R-ESRGAN 4x+`, `x2_plus`; null where it doesn't. */
export function scaleIn(name: string): number | null {
  const match = /(?<![a-z0-9])(?:([2-8])x|x([2-8]))(?![a-z0-9])/i.exec(name.replaceAll("_", " "));
  return match === null ? null : Number(match[1] ?? match[2]);
}

/** How many times it enlarges where neither its name nor a list says. */
export function upscalerNamed(name: string, told: number | null = null): ListedUpscaler {
  return { name, scale: scaleIn(name) ?? told ?? USUAL_SCALE };
}

function upscalerIn(item: unknown): ListedUpscaler | null {
  const name = nameIn(item);
  if (name === null || KERNELS.has(plainUpscaler(name))) return null;
  const told = typeof item === "object" && item !== null && "scale" in item ? item.scale : null;
  const isScale = typeof told === "number" && Number.isInteger(told) && told >= 2 && told <= 8;
  return upscalerNamed(name, isScale ? told : null);
}

function nameIn(item: unknown): string | null {
  const found =
    typeof item === "object" && item !== null && "name" in item ? item.name : (item ?? null);
  if (typeof found !== "string") return null;
  const name = found.trim();
  return name === "" || name.length > LONGEST_NAME || /\p{C}/u.test(name) ? null : name;
}

/** Names of models have no spaces. */
function idOf(name: string): string | null {
  const id = name.replace(/\s+/g, "-").replace(/^\/+|\/+$/g, "");
  return id === "" ? null : id;
}

function modelOf(id: string, upscaler: ListedUpscaler): ListedModel {
  return {
    ...{ id, upscaler, name: upscaler.name, description: "", hub: null, owner: null, created: 0 },
    ...{ contextLength: null, maxOutput: null, category: "image" },
    modalities: { input: ["image"], output: ["image"] },
    ...{ features: [UPSCALING], tags: [UPSCALING], parameters: null, quantization: null },
    ...{ price: null, units: null, barred: null, takes: [] },
  };
}

/** The feature that says of a model that it enlarges images. */
export const UPSCALING = "upscaling";
