import { nearest as nearestName } from "../lib/nearest.ts";
import { UserError } from "../lib/user-error.ts";
import type { Model } from "../types.ts";

/** Every model that is known, and how each of its names leads to it. */
export interface Catalog {
  readonly models: readonly Model[];
  /** Ids and aliases in lower case. */
  readonly byName: ReadonlyMap<string, Model>;
}

/** Throws `UserError` when two models claim one name: which of them answers must never be a matter of order. */
export function createCatalog(models: readonly Model[]): Catalog {
  const byName = new Map<string, Model>();
  for (const model of models) {
    for (const name of new Set([model.id, ...model.aliases].map((each) => each.toLowerCase()))) {
      const other = byName.get(name);
      if (other !== undefined)
        throw new UserError(
          `the models ${other.id} and ${model.id} both have the name "${name}": change one of the two files`,
        );
      byName.set(name, model);
    }
  }
  return { models, byName };
}

/** By id or alias, whatever the case; undefined when no model has that name. Never a guess. */
export function resolve(catalog: Catalog, name: string): Model | undefined {
  return catalog.byName.get(name.trim().toLowerCase());
}

/** The id of the model whose name is closest to `name`, for a message; undefined when none is close. */
export function nearest(catalog: Catalog, name: string): string | undefined {
  const closest = nearestName(name.trim(), catalog.byName.keys());
  return closest === undefined ? undefined : catalog.byName.get(closest)?.id;
}
