import { catalogFolders, loadCatalog } from "../catalog/load.ts";
import { locateWeights } from "../catalog/weights.ts";
import type { Config } from "../config/schema.ts";
import { memoryFor } from "../lib/footprint.ts";
import type { Model } from "../types.ts";
import { formatBytes, formatTable } from "./format.ts";

/** One row of `covey models`, and one item of its JSON. */
export interface ModelRow {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly category: string;
  readonly license: string;
  readonly contextLength: number;
  readonly state: "ready" | "missing";
  /** What to do about a missing one; null when ready. */
  readonly detail: string | null;
  /** Bytes of the weights; null when nobody knows before they are here. */
  readonly size: number | null;
  /** Null when the size is not known. */
  readonly fits: boolean | null;
  readonly needed: number | null;
  /** Tokens of context that one answer gets within the budget; less than the model's own on a small machine. */
  readonly contextSize: number | null;
  readonly budget: number;
}

export async function describeModel(model: Model, config: Config): Promise<ModelRow> {
  const { file } = model;
  const located = await locateWeights(model, { home: config.home });
  const size = located.size ?? null;
  const { memoryBudget: budget, contextSize, sequences } = config.engine;
  const need =
    size === null
      ? null
      : memoryFor(
          {
            weights: size,
            kvBytesPerToken: file.kv_bytes_per_token ?? null,
            sequences,
            contextSize: Math.min(contextSize || file.context_length, file.context_length),
          },
          budget,
        );
  return {
    id: model.id,
    aliases: model.aliases,
    category: file.category,
    license: file.license,
    contextLength: file.context_length,
    state: located.state === "missing" ? "missing" : "ready",
    detail: located.reason ?? null,
    size,
    fits: need === null ? null : need.bytes <= budget,
    needed: need?.bytes ?? null,
    contextSize: need?.contextSize ?? null,
    budget,
  };
}

function fitText({ fits, needed, budget, contextSize, contextLength }: ModelRow): string {
  if (fits === null || needed === null || contextSize === null) return "unknown until pulled";
  if (fits && contextSize < contextLength) return `fits with a context of ${contextSize}`;
  return fits ? "fits" : `too big: needs ${formatBytes(needed)} of ${formatBytes(budget)}`;
}

export function modelsTable(rows: readonly ModelRow[]): string {
  return formatTable([
    ["MODEL", "SIZE", "FIT", "STATE"],
    ...rows.map((row) => [
      row.id,
      row.size === null ? "?" : formatBytes(row.size),
      fitText(row),
      row.state === "ready" ? "ready to load" : (row.detail ?? "missing"),
    ]),
  ]);
}

/** `covey models`: those that are ready first, then by size. */
export async function models(config: Config, options: { json: boolean }): Promise<number> {
  const catalog = loadCatalog(catalogFolders(config.home, config.models.folders));
  const rows = await Promise.all(catalog.models.map((model) => describeModel(model, config)));
  rows.sort(
    (a, b) =>
      Number(a.state === "missing") - Number(b.state === "missing") ||
      (a.size ?? 0) - (b.size ?? 0),
  );
  console.log(options.json ? JSON.stringify(rows, null, 2) : modelsTable(rows));
  return 0;
}
