import { billions } from "../../catalog/listed.ts";
import type { Model, Target } from "../../types.ts";

/** Units of concurrency by a model's size in billions of parameters, as Featherless counts them. */
const SIZES = [
  { upTo: 15, units: 1 },
  { upTo: 34, units: 2 },
] as const;
const LARGEST = 4;

/** Units that one call on this model takes of its caller's concurrency; of an unknown size, what its dearest target takes. */
export function unitsOf(model: Model, targets: readonly Target[]): number {
  const size = billions(model.file.parameters ?? null);
  if (size !== null) return SIZES.find(({ upTo }) => size <= upTo)?.units ?? LARGEST;
  return targets.reduce((most, { concurrencyCost }) => Math.max(most, concurrencyCost), 1);
}
