import { entriesOf } from "../catalog/entries.ts";
import { discoveredFolder, lastCopy } from "../catalog/list-copy.ts";
import type { ListedModel } from "../catalog/listed.ts";
import { catalogFolders, loadCatalog } from "../catalog/load.ts";
import { listsOf, together } from "../catalog/provider-lists.ts";
import { readProviderFiles } from "../catalog/providers.ts";
import { type Catalog, resolve } from "../catalog/resolve.ts";
import { type SettledProvider, settleProviders } from "../catalog/settle-providers.ts";
import { locateWeights } from "../catalog/weights.ts";
import type { Config } from "../config/schema.ts";
import { requiredBy } from "../engines/index.ts";
import { lacking } from "../lib/engine-installed.ts";
import { atOnce } from "../lib/slices.ts";
import type { Model } from "../types.ts";
import { formatBytes, formatTable } from "./format.ts";
import { fitOf, type Runs } from "./model-fit.ts";

/** One row of `covey models`, and one item of its JSON. */
export interface ModelRow {
  readonly id: string;
  readonly aliases: readonly string[];
  /** Who answers for it: `local`, or a provider's id. */
  readonly provider: string;
  /** What runs it here; null for a provider's. */
  readonly engine: string | null;
  readonly category: string;
  readonly license: string;
  /** Tokens; null when nobody said. */
  readonly contextLength: number | null;
  /** `too_big`: its weights are here, and take more memory than engines may have. */
  readonly state: "ready" | "too_big" | "missing";
  /** What to do about one that can't answer; null when ready. */
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
  /** How it is run here; null for a provider's. */
  readonly runs: Runs | null;
  /** Whether `covey pull` brings it. */
  readonly pullable: boolean;
}

export async function describeModel(
  model: Model,
  config: Config,
  lack: string | null = lacking(requiredBy(model.file)),
): Promise<ModelRow> {
  const { file } = model;
  const located = await locateWeights(model, { home: config.home });
  const { memoryBudget: budget } = config.engine;
  const { needed, tooBig, contextSize, runs } = await fitOf(model, located, config);
  const isMissing = located.state === "missing" || lack !== null;
  return {
    id: model.id,
    aliases: model.aliases,
    provider: "local",
    engine: file.engine,
    category: file.category,
    license: file.license,
    contextLength: file.context_length === 0 ? null : file.context_length,
    state: isMissing ? "missing" : tooBig === null ? "ready" : "too_big",
    detail: lack ?? located.reason ?? tooBig,
    size: located.size ?? null,
    fits: needed === null ? null : tooBig === null,
    needed,
    contextSize,
    budget,
    runs,
    pullable: file.weights.source === "hf",
  };
}

/** A provider, and what it listed when it was last asked; null when nothing is known of that. */
export interface LastListed {
  readonly provider: SettledProvider;
  readonly listed: readonly ListedModel[] | null;
}

/** A row for each model of a provider: those of the config, then the rest of its list. Nobody is asked whether it is true. */
export function providerRows(catalog: Catalog, { provider, listed }: LastListed): ModelRow[] {
  const { id, missingKey } = provider.settings;
  const entries = atOnce(entriesOf([{ provider, listed: listed ?? [] }]));
  return entries.map(({ id: name, chosen, listed: told }): ModelRow => {
    const known = resolve(catalog, name);
    const detail =
      missingKey !== null
        ? `${missingKey} is not set`
        : chosen === null && told?.barred === "gated"
          ? `at ${id}: its weights are gated`
          : chosen === null && told?.barred === "plan"
            ? `at ${id}: not on the current plan`
            : null;
    return {
      id: known?.id ?? name,
      aliases: known?.aliases ?? chosen?.aliases ?? [],
      provider: id,
      engine: null,
      category: known?.file.category ?? told?.category ?? "text",
      license: known?.file.license ?? "unknown",
      contextLength:
        chosen?.contextLength ?? told?.contextLength ?? known?.file.context_length ?? null,
      state: detail === null ? "ready" : "missing",
      detail,
      size: null,
      fits: null,
      needed: null,
      contextSize: null,
      budget: null,
      runs: null,
      pullable: false,
    };
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

/** As `8 × 2048 tokens, 1 thread, f16 cache, batches of 128`. */
function runsText({ runs, contextSize, fits }: ModelRow): string {
  if (runs === null || fits !== true) return "–";
  const { threads, sequences, batchSize, kvType } = runs;
  const of = threads === 1 ? "1 thread" : `${threads} threads`;
  if (contextSize === null || batchSize === null) return of;
  return `${sequences} × ${contextSize} tokens, ${of}, ${kvType} cache, batches of ${batchSize}`;
}

function stateText({ state, detail, provider }: ModelRow): string {
  if (state === "missing") return detail ?? "missing";
  if (state === "too_big") return "too big: raise memory_budget";
  return provider === "local" ? "ready to load" : `at ${provider}`;
}

export function modelsTable(rows: readonly ModelRow[]): string {
  return formatTable([
    ["MODEL", "ALIAS", "SIZE", "FIT", "RUNS WITH", "STATE"],
    ...rows.map((row) => [
      row.id,
      row.aliases[0] ?? "–",
      row.size === null ? (row.pullable ? "?" : "–") : formatBytes(row.size),
      fitText(row),
      runsText(row),
      stateText(row),
    ]),
  ]);
}

export interface ModelsOptions {
  readonly json: boolean;
  /** Every model of every provider, rather than the first of each. */
  readonly all: boolean;
}

/** So many models of one provider are shown unless all are asked for: a list may have thousands. */
const MOST_SHOWN = 20;

const PLACES: Readonly<Record<ModelRow["state"], number>> = { ready: 0, too_big: 1, missing: 2 };

/** `covey models`: this machine's, those that are ready first, then by size; then each provider's. */
export async function models(config: Config, options: ModelsOptions): Promise<number> {
  const catalog = loadCatalog(catalogFolders(config.home, config.models.folders));
  const own = await Promise.all(catalog.models.map((model) => describeModel(model, config)));
  const { files, faults } = readProviderFiles(config.home);
  const { place, secret } = config;
  const providers = settleProviders(config.providers, files, secret, { faults, place });
  const lists = await Promise.all(providers.map((provider) => lastListed(provider, config.home)));
  const rows = lists.map((list) => providerRows(catalog, list));
  const here = own.sort(
    (a, b) => PLACES[a.state] - PLACES[b.state] || (a.size ?? 0) - (b.size ?? 0),
  );
  // A program gets them all: nobody tells it that some were left out.
  const most = options.all || options.json ? Number.POSITIVE_INFINITY : MOST_SHOWN;
  const shown = [...here, ...rows.flatMap((each) => each.slice(0, most))];
  console.log(options.json ? JSON.stringify(shown, null, 2) : modelsTable(shown));
  if (!options.json)
    for (const [at, list] of lists.entries())
      for (const note of notesOf(list, rows[at]?.length ?? 0, most)) console.log(note);
  return 0;
}

/** From the copy on disk; nobody is asked now. */
async function lastListed(provider: SettledProvider, home: string): Promise<LastListed> {
  const { id, baseUrl } = provider.settings;
  if (!provider.discover) return { provider, listed: null };
  const lists = await Promise.all(
    listsOf(provider.settings.file).map(async ({ key, read }) => {
      const text = await lastCopy(discoveredFolder(home), key(id), baseUrl);
      return text === null ? null : atOnce(read(text));
    }),
  );
  const known = lists.some((list) => list !== null);
  return { provider, listed: known ? together(lists.map((list) => list ?? [])) : null };
}

/** What the table doesn't show of a provider. */
export function notesOf({ provider, listed }: LastListed, count: number, most: number): string[] {
  const { id, missingKey } = provider.settings;
  if (count > most)
    return [`${id}: ${count - most} more of ${count} models; npx covey models --all shows them`];
  if (!provider.discover || listed !== null) return [];
  return [
    missingKey === null
      ? `${id}: its list has not been fetched yet; a running server does`
      : `${id}: ${missingKey} is not set`,
  ];
}
