import { existsSync } from "node:fs";
import { idFor, modelFilePath } from "../catalog/add.ts";
import { formatHubReference, type HubReference, parseHubReference } from "../catalog/reference.ts";
import { type Catalog, nearest, resolve } from "../catalog/resolve.ts";
import type { Weights } from "../catalog/schema.ts";
import { UserError } from "../lib/user-error.ts";
import type { Model } from "../types.ts";

/** What the argument of `covey pull` means: a model that is known, or a file that becomes one. */

function sameFile(weights: Weights, reference: HubReference): boolean {
  return (
    weights.source === "hf" &&
    formatHubReference(weights.reference) === formatHubReference(reference)
  );
}

/**
 * The model of that name, and where its weights are on the hub; no model for a file that is none yet,
 * no reference for weights that come from elsewhere. Throws `UserError` for a name nobody has.
 */
export function wanted(
  catalog: Catalog,
  name: string,
): { model: Model | null; reference: HubReference | null } {
  if (!name.startsWith("hf:")) {
    const model = resolve(catalog, name);
    if (model !== undefined)
      return {
        model,
        reference: model.file.weights.source === "hf" ? model.file.weights.reference : null,
      };
    const guess = nearest(catalog, name);
    const hint = guess === undefined ? ";" : `, did you mean ${guess}?`;
    throw new UserError(
      `there is no model "${name}"${hint} npx covey models lists those there are`,
    );
  }
  const reference = parseHubReference(name.slice(3));
  if (reference === undefined)
    throw new UserError(`"${name}" is not hf:<owner>/<name>[@<revision>]/<file>`, { exitCode: 2 });
  return {
    model: catalog.models.find(({ file }) => sameFile(file.weights, reference)) ?? null,
    reference,
  };
}

/**
 * An id that no model has. Throws `UserError` where the same file is a model at another revision:
 * both would have one name on the disk.
 */
export function newId(catalog: Catalog, reference: HubReference, folder: string): string {
  const { revision } = reference;
  const other = catalog.models.find(
    ({ file: { weights } }) =>
      weights.source === "hf" &&
      sameFile(weights, { ...reference, revision: weights.reference.revision }),
  );
  if (other !== undefined)
    throw new UserError(
      `the model ${other.id} is another revision of this file: write ${revision} into its model file, or remove it first`,
    );
  return idFor(
    reference,
    (id) => resolve(catalog, id) !== undefined || existsSync(modelFilePath(folder, id)),
  );
}
