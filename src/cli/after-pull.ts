import { loadCatalog, SHIPPED_MODELS } from "../catalog/load.ts";
import { resolve } from "../catalog/resolve.ts";
import { engineInstalled, NO_ENGINE } from "../lib/engine-installed.ts";
import type { Model } from "../types.ts";

/** What to do with a model that was pulled; `id` is that of a new one, which no server knows yet. */
export function afterPull(model: Model | null, id: string): string {
  const use = `use it as "model": "${model?.aliases[0] ?? id}"`;
  return engineInstalled()
    ? `${use}; ${whenSeen(model)}`
    : `${use}, once it can run: it ${NO_ENGINE}`;
}

/** A server reads the model files at its start, and looks for their weights all the time. */
function whenSeen(model: Model | null): string {
  if (model === null) return "a running server sees it after a restart";
  const ships = resolve(loadCatalog([SHIPPED_MODELS]), model.id) !== undefined;
  return `a running server sees it within seconds${ships ? "" : ", or after a restart if its model file is new to it"}`;
}
