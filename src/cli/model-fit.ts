import type { WeightState } from "../catalog/weights.ts";
import type { Config } from "../config/schema.ts";
import type { WeightPaths } from "../engines/index.ts";
import { kindOf } from "../engines/kinds.ts";
import { batchFor, type KvType, memoryFor } from "../lib/footprint.ts";
import { createLog } from "../lib/log.ts";
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
  /** Tokens of context that one answer gets within the budget. */
  readonly contextSize: number | null;
  readonly runs: Runs;
}

/** What running a model takes, as its engine reckons before it loads it. */
export async function fitOf(model: Model, located: WeightState, config: Config): Promise<Fit> {
  const kind = kindOf(model.file);
  return kind.id === "llama" ? textFit(model, located, config) : kindFit(model, located, config);
}

function textFit({ file }: Model, { size }: WeightState, { engine }: Config): Fit {
  const { memoryBudget, contextSize, sequences, threads, kvType, batchSize } = engine;
  const wanted = Math.min(contextSize || file.context_length, file.context_length);
  const kvBytesPerToken = file.kv_bytes_per_token ?? null;
  const need =
    size === undefined
      ? null
      : memoryFor(
          { weights: size, kvBytesPerToken, sequences, contextSize: wanted },
          memoryBudget,
          kvType,
        );
  return {
    needed: need?.bytes ?? null,
    contextSize: need?.contextSize ?? null,
    runs: {
      threads,
      sequences,
      batchSize: batchSize === "auto" ? batchFor(threads, false) : batchSize,
      kvType: need?.kvType ?? null,
    },
  };
}

async function kindFit(model: Model, located: WeightState, config: Config): Promise<Fit> {
  const kind = kindOf(model.file);
  const { keepAlive: keepAliveMs, loadTimeout: loadTimeoutMs, ...engine } = config.engine;
  const settings = { ...engine, keepAliveMs, loadTimeoutMs };
  const runs = {
    threads: engine.threads,
    sequences: kind.places(settings),
    batchSize: null,
    kvType: null,
  };
  const paths = pathsOf(located);
  if (paths === null) return { needed: null, contextSize: null, runs };
  const quiet = createLog(() => undefined, false);
  const { bytes } = await kind.load(model, paths, settings, quiet);
  return { needed: bytes, contextSize: null, runs };
}

function pathsOf({ state, files, path }: WeightState): WeightPaths | null {
  if (state !== "present") return null;
  return files ?? (path === undefined ? null : { weights: path });
}
