import { extendedSampling } from "../contract/sampling.ts";
import { own } from "../lib/own.ts";
import type { Continuation, Model, Price, Target } from "../types.ts";
import type { Entry } from "./entries.ts";
import { billions } from "./listed.ts";
import { perToken } from "./price.ts";
import type { ProviderFile } from "./provider-file.ts";
import { FREE, targetOf } from "./target.ts";

/** A model at a provider as a target: the config's word wins over the list's, which wins over the provider file's. */
export function providerTarget(model: Model, entry: Entry): Target {
  const { provider, chosen, listed, upstreamId } = entry;
  const { file, id } = provider.settings;
  const { choice } = provider;
  const known = model.file.weights.source === "upstream" ? 0 : model.file.context_length;
  return targetOf(model, id, upstreamId, {
    priority: chosen?.priority ?? choice.priority,
    weight: chosen?.weight ?? choice.weight,
    price: priceOf(entry),
    contextLength: chosen?.contextLength ?? listed?.contextLength ?? (known === 0 ? null : known),
    maxOutput: chosen?.maxOutput ?? listed?.maxOutput ?? null,
    quantization: listed?.quantization ?? null,
    collectsData: file.collects_data,
    concurrencyCost: listed?.units ?? unitsOf(file, listed?.parameters ?? null),
    continuation: continuationOf(file),
    parameters: listed?.takes ?? parametersOf(file),
    // What the config names is meant to be used.
    barred: chosen === null ? (listed?.barred ?? null) : null,
  });
}

/** One's own servers cost nothing a token. */
function priceOf({ provider, chosen, listed, upstreamId, id }: Entry): Price | null {
  const { choice, settings } = provider;
  const set = chosen?.price ?? own(choice.prices, id) ?? own(choice.prices, upstreamId);
  if (set !== undefined) return perToken(set);
  if (listed?.price != null) return listed.price;
  if (choice.price !== undefined) return perToken(choice.price);
  return settings.file.self_hosted ? FREE : null;
}

/** By a model's size where the provider counts so; of an unknown size it takes one. */
function unitsOf(
  { concurrency: { cost, sizes } }: ProviderFile,
  parameters: string | null,
): number {
  const size = cost === "size" ? billions(parameters) : null;
  if (size === null) return 1;
  return (sizes.find(({ up_to }) => size <= up_to) ?? sizes.at(-1))?.units ?? 1;
}

const continuations = new WeakMap<ProviderFile, Continuation>();

/** One object a provider file: thirty thousand targets share it. */
function continuationOf(file: ProviderFile): Continuation {
  const known = continuations.get(file);
  if (known !== undefined) return known;
  const { prefill, completions, exact, guided } = file.continuation;
  const made = { prefill: prefill !== "none", completions, exact, guided };
  continuations.set(file, made);
  return made;
}

const OPENAI = [
  "max_tokens",
  "temperature",
  "top_p",
  "stop",
  "frequency_penalty",
  "presence_penalty",
  "seed",
  "response_format",
  "logit_bias",
  "logprobs",
  "top_logprobs",
  "tools",
  "tool_choice",
];

const parameters = new WeakMap<ProviderFile, readonly string[]>();

function parametersOf(file: ProviderFile): readonly string[] {
  const known = parameters.get(file);
  if (known !== undefined) return known;
  const extended = file.samplers === "extended" ? Object.keys(extendedSampling) : [];
  const made = [...OPENAI, ...extended].filter((name) => file.parameters[name] !== false);
  parameters.set(file, made);
  return made;
}
