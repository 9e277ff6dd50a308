import type { Model } from "../types.ts";
import type { ModelFile } from "./schema.ts";

/** What the config says of a provider's model. */
export interface UpstreamEntry {
  readonly id: string;
  /** Tokens; unknown without it. */
  readonly contextLength?: number | undefined;
}

const NO_WEIGHTS = { source: "upstream", sha256: null, size: null } as const;

/** A model that only a provider has. What nobody said of it stays unknown: a context of 0 tokens is that. */
export function upstreamModel(provider: string, entry: UpstreamEntry): Model {
  const file: ModelFile = {
    id: entry.id,
    name: entry.id,
    description: "",
    aliases: [],
    category: "text",
    created: 0,
    owned_by: provider,
    context_length: entry.contextLength ?? 0,
    modalities: { input: ["text"], output: ["text"] },
    license: "unknown",
    stop: [],
    features: [],
    tags: [],
    defaults: {},
    weights: NO_WEIGHTS,
  };
  return { id: entry.id, aliases: [], file };
}
