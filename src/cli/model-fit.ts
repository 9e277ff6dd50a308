import { engineConfigOf } from "../app/engine-config.ts";
import type { WeightState } from "../catalog/weights.ts";
import type { Config } from "../config/schema.ts";
import { needOf } from "../engines/index.ts";
import { kindOf } from "../engines/kinds.ts";
import { batchFor, type KvType } from "../lib/footprint.ts";
import type { Model } from "../types.ts";

/** How a model is run on this machine. */
export interface Runs {
  readonly threads: number;
  /** Answers at once. */
  readonly sequences: number;
  /** Tokens of a prompt that are evaluated in one go; null for engines that make no text. */
  readonly batchSize: number | null;
  /** Null while the size is not known, and where there is no cache. */
  readonly kvType: KvType | null;
}

export interface Fit {
  /** Bytes of memory it takes; null where that is not known yet. */
  readonly needed: number | null;
  /** Why it can't be loaded and what to change; null where it fits, or nothing is known. */
  readonly tooBig: string | null;
  /** Tokens of context that one request gets within the budget; null where that means nothing. */
  readonly contextSize: number | null;
  readonly runs: Runs;
}

/** What running a model takes, as its engine reckons before it loads it. */
export async function fitOf(model: Model, located: WeightState, config: Config): Promise<Fit> {
  const kind = kindOf(model.file);
  const engine = engineConfigOf(config);
  const { threads, batchSize = "auto" } = engine;
  const need = await needOf(model, located, engine);
  const makesText = kind.id === "llama";
  return {
    needed: need?.bytes ?? null,
    tooBig: need?.tooBig ?? null,
    contextSize: need?.contextSize ?? null,
    runs: {
      threads,
      sequences: kind.places(engine),
      batchSize: !makesText ? null : batchSize === "auto" ? batchFor(threads, false) : batchSize,
      kvType: need?.kvType ?? null,
    },
  };
}
