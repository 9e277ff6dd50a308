import { nearest } from "../lib/nearest.ts";
import { atOnce, inSlices } from "../lib/slices.ts";
import type { Model, Target } from "../types.ts";
import type { Aliases } from "./aliases.ts";
import { type Merged, type MergeInput, merge } from "./merge.ts";

const NONE: readonly Target[] = [];
/** So many models are named to someone who may have meant any of them. */
const FEW = 3;

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

  /**
   * Ids of models that were likely meant: those of that very name under another owner, if they are few,
   * else the one whose name is closest by its letters, if any is close.
   */
  nearest(name: string): readonly string[] {
    const { byName } = this.#merged;
    const lower = name.trim().toLowerCase();
    const end = `/${lower.slice(lower.lastIndexOf("/") + 1)}`;
    const alike = new Set<string>();
    if (end !== "/") for (const [known, { id }] of byName) if (known.endsWith(end)) alike.add(id);
    if (alike.size > 0 && alike.size <= FEW) return [...alike];
    const closest = nearest(lower, byName.keys());
    const model = closest === undefined ? undefined : byName.get(closest);
    return model === undefined ? [] : [model.id];
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
