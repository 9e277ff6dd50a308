import { nearest } from "../lib/nearest.ts";
import { atOnce, inSlices } from "../lib/slices.ts";
import type { Model, Target } from "../types.ts";
import type { Aliases } from "./aliases.ts";
import { type Merged, type MergeInput, merge } from "./merge.ts";

const NONE: readonly Target[] = [];

/**
 * The models as they are now: names, and where each can be answered. Made anew beside the old one when
 * a provider's list changes, in slices, and taken over at once.
 */
export class CurrentModels {
  readonly #input: () => MergeInput;
  #aliases: Aliases;
  readonly #prepare: (model: Model, targets: readonly Target[]) => void;
  #merged: Merged;
  #rebuilding: Promise<void> | null = null;
  #again = false;

  /** `prepare` is run for each model, in slices, before it is offered: what is slow is then done. */
  constructor(
    input: () => MergeInput,
    prepare: (model: Model, targets: readonly Target[]) => void = () => undefined,
  ) {
    this.#input = input;
    this.#prepare = prepare;
    const first = input();
    this.#aliases = first.aliases;
    this.#merged = atOnce(merge({ ...first, providers: first.providers.map(withoutList) }));
  }

  /** By id, alias or another name of the same weights, whatever the case. Never a guess. */
  resolve(name: string): Model | undefined {
    const { byName } = this.#merged;
    const lower = name.trim().toLowerCase();
    return byName.get(lower) ?? byName.get(this.#aliases.canonical(lower));
  }

  /** The id of the model whose name is closest; undefined when none is close. */
  nearest(name: string): string | undefined {
    const closest = nearest(name.trim(), this.#merged.byName.keys());
    return closest === undefined ? undefined : this.#merged.byName.get(closest)?.id;
  }

  targets(model: Model): readonly Target[] {
    return this.#merged.targets.get(model.id) ?? NONE;
  }

  models(): readonly Model[] {
    return this.#merged.models;
  }

  /** Names in the config that lead elsewhere than it says. */
  conflicts(): readonly string[] {
    return this.#merged.conflicts;
  }

  /** Merges anew. Asked for again meanwhile, it does so once more. Resolves when what is offered is up to date. */
  rebuild(): Promise<void> {
    this.#again = true;
    this.#rebuilding ??= this.#run().finally(() => {
      this.#rebuilding = null;
    });
    return this.#rebuilding;
  }

  /** Resolves when no merge runs. */
  async settled(): Promise<void> {
    while (this.#rebuilding !== null) await this.#rebuilding;
  }

  /** Whether a model is embedded or named in the config, rather than only on some provider's list. */
  isNamed(model: Model): boolean {
    const group = this.#merged.made.get(model.id)?.group;
    return (
      group !== undefined &&
      (group.own !== null || group.entries.some(({ chosen }) => chosen !== null))
    );
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      const input = this.#input();
      const merged = await inSlices(merge(input, this.#merged));
      await inSlices(this.#prepared(merged));
      this.#merged = merged;
      this.#aliases = input.aliases;
    }
  }

  *#prepared(merged: Merged): Generator<void, void> {
    for (const model of merged.models) {
      this.#prepare(model, merged.targets.get(model.id) ?? NONE);
      yield;
    }
  }
}

/** What the config and the catalog say alone: there at once, before any list is. */
function withoutList<T extends { readonly provider: unknown }>(each: T): T & { listed: [] } {
  return { ...each, listed: [] };
}
