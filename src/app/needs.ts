import type { WeightState } from "../catalog/weights.ts";
import { type EngineConfig, type Need, needOf } from "../engines/index.ts";
import type { Model } from "../types.ts";

/** What each embedded model takes here, reckoned anew whenever its weights are looked for. */
export class Needs {
  readonly #config: EngineConfig;
  readonly #needs = new Map<string, Need>();
  /** Called when another context than before goes with a model. */
  onContext: () => void = () => undefined;

  constructor(config: EngineConfig) {
    this.#config = config;
  }

  /** Null while too little is known of its weights. */
  of({ id }: Pick<Model, "id">): Need | null {
    return this.#needs.get(id) ?? null;
  }

  /** What can't be reckoned is told by whoever loads the model. */
  async look(model: Model, found: WeightState): Promise<void> {
    const need =
      found.state === "missing" ? null : await needOf(model, found, this.#config).catch(() => null);
    const before = this.of(model);
    if (need === null) this.#needs.delete(model.id);
    else this.#needs.set(model.id, need);
    if (need?.contextSize !== before?.contextSize) this.onContext();
  }
}
