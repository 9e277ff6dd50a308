import { readList } from "../catalog/fetch-list.ts";
import { discoveredFolder, lastCopy } from "../catalog/list-copy.ts";
import { catalogFolders, loadCatalog } from "../catalog/load.ts";
import { loadProviderFiles, providerFolders } from "../catalog/providers.ts";
import { type Catalog, resolve } from "../catalog/resolve.ts";
import { type SettledProvider, settleProviders } from "../catalog/settle-providers.ts";
import { locateWeights } from "../catalog/weights.ts";
import type { Config } from "../config/schema.ts";
import { engineInstalled, NO_ENGINE } from "../lib/engine-installed.ts";
import { memoryFor } from "../lib/footprint.ts";
import { atOnce } from "../lib/slices.ts";
import type { Model } from "../types.ts";
import { formatBytes, formatTable } from "./format.ts";

/** One row of `covey models`, and one item of its JSON. */
export interface ModelRow {
  readonly id: string;
  readonly aliases: readonly string[];
  /** Who answers for it: `local`, or a provider's id. */
  readonly provider: string;
  readonly category: string;
  readonly license: string;
  /** Tokens; null when nobody said. */
  readonly contextLength: number | null;
  readonly state: "ready" | "missing";
  /** What to do about a missing one; null when ready. */
  readonly detail: string | null;
  /** Bytes of the weights; null when nobody knows before they are here, or they are a provider's. */
  readonly size: number | null;
  /** Null when the size is not known. */
  readonly fits: boolean | null;
  readonly needed: number | null;
  /** Tokens of context that one answer gets within the budget; less than the model's own on a small machine. */
  readonly contextSize: number | null;
  /** Null for a provider's model: its memory is not ours. */
  readonly budget: number | null;
  /** Whether `covey pull` brings it. */
  readonly pullable: boolean;
}

export async function describeModel(
  model: Model,
  config: Config,
  hasEngine = engineInstalled(),
): Promise<ModelRow> {
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
    provider: "local",
    category: file.category,
    license: file.license,
    contextLength: file.context_length,
    state: located.state === "missing" || !hasEngine ? "missing" : "ready",
    detail: hasEngine ? (located.reason ?? null) : NO_ENGINE,
    size,
    fits: need === null ? null : need.bytes <= budget,
    needed: need?.bytes ?? null,
    contextSize: need?.contextSize ?? null,
    budget,
    pullable: file.weights.source === "hf",
  };
}

/** A row for each model of each provider in the config. Nobody is asked whether it is true. */
export function providerRows(catalog: Catalog, providers: readonly SettledProvider[]): ModelRow[] {
  return providers.flatMap(({ settings, choice }) => {
    const { id: provider, missingKey } = settings;
    return choice.models.map((entry): ModelRow => {
      const known = resolve(catalog, entry.id);
      return {
        id: known?.id ?? entry.id,
        aliases: known?.aliases ?? [],
        provider,
        category: known?.file.category ?? "text",
        license: known?.file.license ?? "unknown",
        contextLength: entry.contextLength ?? known?.file.context_length ?? null,
        state: missingKey === null ? "ready" : "missing",
        detail: missingKey === null ? null : `${missingKey} is not set`,
        size: null,
        fits: null,
        needed: null,
        contextSize: null,
        budget: null,
        pullable: false,
      };
    });
  });
}

function fitText(row: ModelRow): string {
  const { fits, needed, budget, contextSize, contextLength } = row;
  if (fits === null || needed === null || budget === null)
    return row.pullable ? "unknown until pulled" : "–";
  if (!fits) return `too big: needs ${formatBytes(needed)} of ${formatBytes(budget)}`;
  return contextSize !== null && contextLength !== null && contextSize < contextLength
    ? `fits with a context of ${contextSize}`
    : "fits";
}

function stateText({ state, detail, provider }: ModelRow): string {
  if (state === "missing") return detail ?? "missing";
  return provider === "local" ? "ready to load" : `at ${provider}`;
}

export function modelsTable(rows: readonly ModelRow[]): string {
  return formatTable([
    ["MODEL", "ALIAS", "SIZE", "FIT", "STATE"],
    ...rows.map((row) => [
      row.id,
      row.aliases[0] ?? "–",
      row.size === null ? (row.pullable ? "?" : "–") : formatBytes(row.size),
      fitText(row),
      stateText(row),
    ]),
  ]);
}

/** `covey models`: those that are ready first, then by size. */
export async function models(config: Config, options: { json: boolean }): Promise<number> {
  const catalog = loadCatalog(catalogFolders(config.home, config.models.folders));
  const hasEngine = engineInstalled();
  const own = await Promise.all(
    catalog.models.map((model) => describeModel(model, config, hasEngine)),
  );
  const files = loadProviderFiles(providerFolders(config.home));
  const providers = settleProviders(config.providers, files, config.secret);
  const rows = [...own, ...providerRows(catalog, providers)].sort(
    (a, b) =>
      Number(a.state === "missing") - Number(b.state === "missing") ||
      (a.size ?? 0) - (b.size ?? 0),
  );
  console.log(options.json ? JSON.stringify(rows, null, 2) : modelsTable(rows));
  if (!options.json) for (const note of await listNotes(providers, config.home)) console.log(note);
  return 0;
}

/** What providers' own lists hold: a line each, since they may be thousands. Nobody is asked now. */
async function listNotes(providers: readonly SettledProvider[], home: string): Promise<string[]> {
  const listed = providers.filter(({ discover }) => discover);
  return Promise.all(
    listed.map(async ({ settings: { id, baseUrl, missingKey } }) => {
      if (missingKey !== null) return `${id}: ${missingKey} is not set`;
      const text = await lastCopy(discoveredFolder(home), id, baseUrl);
      const count = text === null ? undefined : atOnce(readList(text))?.length;
      return count === undefined
        ? `${id}: its list has not been fetched yet; a running server does`
        : `${id}: ${count} models when they were last fetched; GET /v1/models of a running server lists them`;
    }),
  );
}
