import type { ModelItem, ModelList, ModelsQuery } from "../../contract/models.ts";
import type { Model, Target } from "../../types.ts";
import { type Gateway, mayAnswer, stateOf } from "../gateway.ts";
import { describedBy, listingOf } from "./describe-model.ts";
import { matcher, order } from "./search-models.ts";

const DEFAULT_PAGE = 1000;
/** Asking 30,000 targets for their state takes 10 ms: at most this share of the time goes into it. */
const SHARE = 0.1;
/** A list made faster than this is made anew each time. */
const FAST_MS = 2;

interface Kept {
  readonly models: readonly Model[];
  readonly items: readonly ModelItem[];
  /** On the `performance.now()` clock. */
  readonly until: number;
}

const kept = new WeakMap<Gateway, Kept>();

/** The models that can answer, as every client at once wants them described. A long list is a moment old. */
export function servableItems(gateway: Gateway): readonly ModelItem[] {
  const models = gateway.models.models();
  const began = performance.now();
  const last = kept.get(gateway);
  if (last !== undefined && last.models === models && began < last.until) return last.items;
  const items = itemsOf(gateway, (targets) => isListed(gateway, targets));
  const took = performance.now() - began;
  kept.set(gateway, { models, items, until: took < FAST_MS ? 0 : began + took / SHARE });
  return items;
}

/** The same and those that their providers know and bar: gated ones, and those of other plans. */
export function knownItems(gateway: Gateway): readonly ModelItem[] {
  return itemsOf(
    gateway,
    (targets) => isListed(gateway, targets) || targets.some(({ barred }) => barred !== null),
  );
}

function itemsOf(gateway: Gateway, isWanted: (targets: readonly Target[]) => boolean): ModelItem[] {
  const items: ModelItem[] = [];
  for (const model of gateway.models.models()) {
    const targets = gateway.models.targets(model);
    if (isWanted(targets)) items.push(listingOf(model, describedBy(gateway, targets)));
  }
  return items;
}

/** A model whose engine keeps failing may answer again, and is tried; but nobody is told to use it. */
function isListed(gateway: Gateway, targets: readonly Target[]): boolean {
  for (const target of targets) {
    const state = stateOf(gateway, target);
    if (mayAnswer(state) && state.state !== "crashed") return true;
  }
  return false;
}

/** Filters, sorts and cuts out a page. `sent` is the query as it came, for the link to the next page. Pure. */
export function pageOfModels(
  items: readonly ModelItem[],
  query: ModelsQuery,
  sent: URLSearchParams,
): ModelList {
  const isFound = matcher(query);
  const matching = isFound === null ? items : items.filter(isFound);
  const found =
    query.sort === undefined
      ? matching
      : matching.toSorted(order(query.sort.by, query.sort.descending));
  const size = query.per_page ?? query.limit ?? DEFAULT_PAGE;
  const start = query.page === undefined ? (query.offset ?? 0) : (query.page - 1) * size;
  const end = start + size;
  return {
    object: "list",
    data: found.slice(start, end),
    total_count: found.length,
    total: found.length,
    links: { next: end < found.length ? nextPage(sent, size, end) : null },
    pagination: {
      current_page: Math.floor(start / size) + 1,
      total_pages: Math.ceil(found.length / size),
      total_items: found.length,
    },
  };
}

function nextPage(sent: URLSearchParams, limit: number, offset: number): string {
  const next = new URLSearchParams(sent);
  for (const name of ["page", "per_page", "limit", "offset"]) next.delete(name);
  next.set("limit", String(limit));
  next.set("offset", String(offset));
  return `/v1/models?${next}`;
}
