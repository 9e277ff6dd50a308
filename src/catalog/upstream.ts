import type { Model } from "../types.ts";
import type { Entry } from "./entries.ts";
import { UPSCALING, upscalerNamed } from "./listed-upscalers.ts";
import { splitName } from "./same-weights.ts";
import type { ModelFile } from "./schema.ts";
import type { Modalities } from "./settle-providers.ts";

const NO_WEIGHTS = { source: "upstream", sha256: null, size: null } as const;
const IMAGES: ModelFile["modalities"] = { input: ["image"], output: ["image"] };
const TEXT: ("text" | "image" | "audio" | "video" | "file")[] = ["text"];

/**
 * A model that only providers have. Of each fact the first entry that tells it is believed; what nobody
 * said stays unknown: a context of 0 tokens is that.
 */
export function upstreamModel(id: string, entries: readonly Entry[]): Model {
  const listed = entries.flatMap((entry) => entry.listed ?? []);
  const chosen = entries.flatMap((entry) => entry.chosen ?? []);
  const provider = entries[0]?.provider.settings.id ?? "unknown";
  const aliases = [...new Set(chosen.flatMap((model) => model.aliases))];
  const upscale = upscaleOf(entries);
  const features = featuresOf(entries);
  const modalities = seen(
    first(chosen, ({ modalities }) => modalities) ?? widest(listed),
    features,
    first(listed, ({ category }) => category) === "embeddings",
  );
  const maxOutput =
    first(chosen, (model) => model.maxOutput) ?? first(listed, (model) => model.maxOutput);
  const parameters = first(listed, (model) => model.parameters);
  const quantization = first(listed, (model) => model.quantization);
  const file: ModelFile = {
    id,
    name: first(listed, ({ name }) => (name === null || name === "" ? null : name)) ?? id,
    description: first(listed, ({ description }) => description || null) ?? "",
    aliases,
    // Nothing of it is on this machine, so this says nothing.
    engine: "llama",
    category:
      upscale !== null
        ? "image"
        : (first(listed, ({ category }) => (category === "text" ? null : category)) ??
          (modalities !== undefined && modalities.input.length > 1 ? "multimodal" : "text")),
    created: first(listed, ({ created }) => created || null) ?? 0,
    owned_by:
      listed.length === 0
        ? provider
        : (splitName(id).owner ?? first(listed, ({ owner }) => owner) ?? provider),
    context_length:
      first(chosen, (model) => model.contextLength) ??
      first(listed, (model) => model.contextLength) ??
      0,
    modalities:
      upscale !== null
        ? IMAGES
        : {
            input: modalities === undefined ? TEXT : [...modalities.input],
            output: modalities === undefined ? TEXT : [...modalities.output],
          },
    license: "unknown",
    stop: [],
    features: upscale !== null ? [UPSCALING] : [...features],
    tags: [...new Set(listed.flatMap(({ tags }) => tags))],
    defaults: {},
    weights: NO_WEIGHTS,
    ...(upscale === null ? {} : { upscale }),
    ...(maxOutput === undefined ? {} : { max_output: maxOutput }),
    ...(parameters === undefined ? {} : { parameters }),
    ...(quantization === undefined ? {} : { quantization }),
  };
  return { id, aliases, file };
}

/** What the config says of the model, else all that its lists and its providers say. */
function featuresOf(entries: readonly Entry[]): ReadonlySet<string> {
  const chosen = entries.flatMap((entry) => entry.chosen ?? []);
  return new Set(
    first(chosen, ({ features }) => features) ??
      entries.flatMap(({ provider, listed }) => [
        ...(listed?.features ?? []),
        ...provider.settings.file.features,
      ]),
  );
}

/** Who says that a model looks at images (`image_input`) says that it takes them. */
function seen(
  told: Modalities | undefined,
  features: ReadonlySet<string>,
  embeds: boolean,
): Modalities | undefined {
  const { input, output } = told ?? { input: TEXT, output: TEXT };
  const looks = features.has("image_input") && output.includes("text") && !embeds;
  return looks && !input.includes("image") ? { input: [...input, "image"], output } : told;
}

/** Null for a model that enlarges no images. What the config says to do so counts as what is listed. */
function upscaleOf(entries: readonly Entry[]): ModelFile["upscale"] | null {
  const upscalers = entries.flatMap(({ listed, chosen, upstreamId }) => {
    if (listed?.upscaler !== undefined) return listed.upscaler;
    return chosen?.features?.includes(UPSCALING) ? upscalerNamed(upstreamId) : [];
  });
  if (upscalers.length === 0) return null;
  const kernels = entries.some(
    ({ provider }) => provider.settings.file.quirks.upscale_form !== "arli",
  );
  // Nothing of its networks is here: of what range their numbers are says nothing.
  const names = Object.fromEntries(upscalers.map(({ name, scale }) => [name, scale]));
  return { range: 1, names, kernels };
}

function first<Item, Value>(
  items: readonly Item[],
  tell: (item: Item) => Value | null | undefined,
): Value | undefined {
  for (const item of items) {
    const value = tell(item);
    if (value !== null && value !== undefined) return value;
  }
  return undefined;
}

/** A list that says nothing about images does not say that there are none. */
function widest(listed: readonly Entry["listed"][]) {
  return listed
    .flatMap((model) => model?.modalities ?? [])
    .toSorted((a, b) => b.input.length + b.output.length - a.input.length - a.output.length)[0];
}
