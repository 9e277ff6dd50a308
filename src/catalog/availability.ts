import type { Model } from "../types.ts";
import { locateWeights, type WeightFolders, type WeightState } from "./weights.ts";

const UNKNOWN: WeightState = {
  state: "missing",
  reason: "its weights have not been looked for yet",
};

/**
 * Which models have their weights on this machine, looked up in the background so that no request
 * waits for a disk: a model that was pulled meanwhile is noticed at the next look.
 */
export class Availability {
  #models: readonly Model[];
  readonly #folders: WeightFolders;
  readonly #seen: (model: Model, state: WeightState) => Promise<void>;
  readonly #states = new Map<string, WeightState>();
  #timer: Timer | null = null;

  /** `seen` is told of each model at each look, before its state counts. */
  constructor(
    models: readonly Model[],
    folders: WeightFolders,
    seen: (model: Model, state: WeightState) => Promise<void> = async () => undefined,
  ) {
    this.#models = models;
    this.#folders = folders;
    this.#seen = seen;
  }

  of(model: Model): WeightState {
    return this.#states.get(model.id) ?? UNKNOWN;
  }

  /** From now on these are the models; resolves when each was looked for. */
  async replace(models: readonly Model[]): Promise<void> {
    this.#models = models;
    await this.refresh();
  }

  async refresh(): Promise<void> {
    await Promise.all(
      this.#models.map(async (model) => {
        const state = await look(model, this.#folders);
        await this.#seen(model, state);
        this.#states.set(model.id, state);
      }),
    );
  }

  watch(intervalMs: number): void {
    this.#timer = setInterval(() => void this.refresh(), intervalMs);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }
}

/** A folder that can't be read makes its model unavailable; it must not end the server. */
async function look(model: Model, folders: WeightFolders): Promise<WeightState> {
  try {
    return await locateWeights(model, folders);
  } catch (error) {
    return { state: "missing", reason: error instanceof Error ? error.message : String(error) };
  }
}
