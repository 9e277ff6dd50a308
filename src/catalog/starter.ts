import { UserError } from "../lib/user-error.ts";
import type { Model } from "../types.ts";
import type { Availability } from "./availability.ts";
import { type Catalog, nearest, resolve } from "./resolve.ts";

/**
 * The model that `[models] starter` names. One whose weights can still be installed or pulled may be
 * missing, since others can answer. Throws `UserError` for a name nobody has, and for a file of the
 * user's own that is not where its model file says.
 */
export function starterOf(catalog: Catalog, name: string, availability: Availability): Model {
  const starter = resolve(catalog, name);
  if (starter === undefined) {
    const close = nearest(catalog, name);
    throw new UserError(
      `there is no model "${name}", which [models] starter names${close === undefined ? "" : `; did you mean "${close}"?`}`,
    );
  }
  const { state, reason } = availability.of(starter);
  if (state === "missing" && starter.file.weights.source === "file")
    throw new UserError(`the starter model ${starter.id} cannot be loaded: ${reason ?? ""}`);
  return starter;
}
