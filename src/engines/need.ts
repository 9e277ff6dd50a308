import { GatewayError } from "../contract/errors.ts";
import type { KvType } from "../lib/footprint.ts";
import { formatBytes } from "../lib/format-bytes.ts";
import { createLog } from "../lib/log.ts";
import type { Model } from "../types.ts";
import type { EngineConfig } from "./engine-config.ts";
import type { WeightPaths } from "./kind.ts";
import { kindOf } from "./kinds.ts";
import { textNeed } from "./llama/kind.ts";

/** What is known of a model's weights before it is loaded: paths where they are there, bytes where those are known. */
export interface FoundWeights {
  readonly path?: string;
  readonly files?: WeightPaths;
  readonly size?: number;
}

/** What a model takes when it is loaded. */
export interface Need {
  readonly bytes: number;
  /** Tokens of context that one request gets; null where that means nothing. */
  readonly contextSize: number | null;
  /** How a text model's cache holds its numbers; null for others. */
  readonly kvType: KvType | null;
  /** Why it can't be loaded as things are set, and what to change; null where it fits. */
  readonly tooBig: string | null;
}

/** As the model's engine reckons when it loads it; null while too little is known of its weights. */
export async function needOf(
  model: Model,
  found: FoundWeights,
  config: EngineConfig,
): Promise<Need | null> {
  const kind = kindOf(model.file);
  const { memoryBudget: budget } = config;
  if (kind.id === "llama") {
    if (found.size === undefined) return null;
    const need = textNeed(model.file, found.size, config);
    const alone = textNeed(model.file, found.size, { ...config, sequences: 1 });
    const or = alone.bytes <= budget ? ["lower sequences"] : [];
    return { ...need, tooBig: need.bytes > budget ? misfit(need.bytes, budget, or) : null };
  }
  const files = found.files ?? (found.path === undefined ? null : { weights: found.path });
  if (files === null) return null;
  const { bytes, contextSize = null } = await kind.load(model, files, config, QUIET);
  return {
    ...{ bytes, contextSize, kvType: null },
    tooBig: bytes > budget ? misfit(bytes, budget) : null,
  };
}

const QUIET = createLog(() => undefined, false);

/** `or`: what else helps, among the options of the same section. */
function misfit(bytes: number, budget: number, or: readonly string[] = []): string {
  const change = ["raise memory_budget", ...or].join(" or ");
  return `it needs ${formatBytes(bytes)} of memory and the budget is ${formatBytes(budget)}: ${change} under [engine]`;
}

/** What a request is told whose model never fits: trying again doesn't help. */
export function tooBigError(id: string, bytes: number, budget: number): GatewayError {
  return new GatewayError(
    "model_too_big",
    `The model '${id}' can't answer here: ${misfit(bytes, budget)}.`,
    { param: "model" },
  );
}
