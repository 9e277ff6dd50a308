import type { Model, Target } from "../types.ts";
import type { Aliases } from "./aliases.ts";
import { type Entry, entriesOf, type ListedProvider } from "./entries.ts";
import { type Group, groupEntries } from "./group.ts";
import { perToken } from "./price.ts";
import { providerTarget } from "./provider-target.ts";
import { isSlug, splitName } from "./same-weights.ts";
import { targetOf } from "./target.ts";
import { upstreamModel } from "./upstream.ts";

/** What is known of a target besides its names. */
export type LocalFacts = Partial<Omit<Target, "id" | "model" | "provider" | "upstreamId">>;

export interface MergeInput {
  /** The catalog's own models, which embedded engines run. */
  readonly own: readonly Model[];
  /** What holds of each of them as a target. */
  readonly localFacts: (model: Model) => LocalFacts;
  /** In the config's order. */
  readonly providers: readonly ListedProvider[];
  readonly aliases: Aliases;
}

/** All models there are, with all places that can answer for each. */
export interface Merged {
  readonly models: readonly Model[];
  /** Ids and other names in lower case. */
  readonly byName: ReadonlyMap<string, Model>;
  /** By the model's id. */
  readonly targets: ReadonlyMap<string, readonly Target[]>;
  /** Names in the config that another model has already. */
  readonly conflicts: readonly string[];
  /** What each model was made of, so that the next merge makes only what is new. */
  readonly made: ReadonlyMap<string, Made>;
}

interface Made {
  readonly group: Group;
  /** Of its embedded target, if it has one. */
  readonly facts: LocalFacts | null;
  readonly model: Model;
  readonly targets: readonly Target[];
}

export const NOTHING: Merged = {
  models: [],
  byName: new Map(),
  targets: new Map(),
  conflicts: [],
  made: new Map(),
};

/**
 * Merges the embedded models, the config's and the providers' lists into one. Pure; what is as it was
 * `before` is the same object again. Yields often: thirty thousand models take a fifth of a second.
 */
export function* merge(input: MergeInput, before: Merged = NOTHING): Generator<void, Merged> {
  const entries = yield* entriesOf(input.providers);
  const groups = yield* groupEntries(input.own, entries, input.aliases);
  const models: Model[] = [];
  const byName = new Map<string, Model>();
  const targets = new Map<string, readonly Target[]>();
  const made = new Map<string, Made>();
  const conflicts: string[] = [];
  for (const { own } of groups) if (own !== null) reserve(byName, own);
  for (const group of groups) {
    const id = idOf(group, byName, input.aliases);
    if (id !== null) {
      const facts = group.own === null ? null : factsOf(group.own, input.localFacts(group.own));
      const each = again(group, id, facts, before) ?? make(group, id, facts);
      models.push(each.model);
      targets.set(id, each.targets);
      made.set(id, each);
      for (const name of namesOf(group, id)) {
        const holder = byName.get(name.toLowerCase());
        if (holder === undefined) byName.set(name.toLowerCase(), each.model);
        else if (holder !== each.model && isChosen(group, name))
          conflicts.push(
            `"${name}" is a name of ${holder.id} already, and leads there, not to ${id}`,
          );
      }
    }
    yield;
  }
  return { models, byName, targets, conflicts, made };
}

/** An embedded model's names are its own, whatever a list says. */
function reserve(byName: Map<string, Model>, model: Model): void {
  for (const name of [model.id, ...model.aliases]) byName.set(name.toLowerCase(), model);
}

/** What the merged model is called; null when all its names are taken. */
function idOf(
  { own, entries, spellings }: Group,
  taken: ReadonlyMap<string, Model>,
  aliases: Aliases,
): string | null {
  if (own !== null) return own.id;
  const isFree = (name: string) => !taken.has(name.toLowerCase());
  const chosen = entries.flatMap((entry) => (entry.chosen === null ? [] : [entry.id]));
  const known = spellings.flatMap((name) => aliases.spelling(aliases.canonical(name)) ?? []);
  const best = spellings.toSorted((a, b) => rank(a) - rank(b));
  const qualified = entries.map(({ provider, id }) => `${provider.settings.id}/${id}`);
  return [...chosen, ...known, ...best, ...qualified].find(isFree) ?? null;
}

/** A hub's own spelling is shown rather than a service's, and a name with an owner rather than one without. */
function rank(name: string): number {
  return (splitName(name).owner === null ? 2 : 0) + (isSlug(name) ? 1 : 0);
}

function namesOf({ entries, spellings }: Group, id: string): string[] {
  return [
    id,
    ...spellings,
    ...entries.flatMap(({ chosen }) => chosen?.aliases ?? []),
    ...entries.flatMap(upscalerName),
  ];
}

/** `arli/ESRGAN_4x`: what many servers have by one name is told apart by where it is. */
function upscalerName({ provider, listed, id }: Entry): string[] {
  return listed?.upscaler === undefined ? [] : [`${provider.settings.id}/${id}`];
}

function isChosen({ entries }: Group, name: string): boolean {
  return entries.some(({ chosen }) => chosen?.id === name || chosen?.aliases.includes(name));
}

function again(
  group: Group,
  id: string,
  facts: LocalFacts | null,
  before: Merged,
): Made | undefined {
  const last = before.made.get(id);
  if (last === undefined || last.group.own !== group.own) return undefined;
  if (facts !== null && !Bun.deepEquals(facts, last.facts)) return undefined;
  const { entries } = last.group;
  const isSame =
    entries.length === group.entries.length &&
    entries.every((entry, at) => same(entry, group.entries[at]));
  return isSame ? last : undefined;
}

function same(a: Entry, b: Entry | undefined): boolean {
  return (
    b !== undefined && a.provider === b.provider && a.chosen === b.chosen && a.listed === b.listed
  );
}

/** A model's own file may set a price on what it runs here. */
function factsOf({ file: { price } }: Model, facts: LocalFacts): LocalFacts {
  return price === undefined ? facts : { ...facts, price: perToken(price) };
}

function make(group: Group, id: string, facts: LocalFacts | null): Made {
  const { own, entries } = group;
  const model = own ?? upstreamModel(id, entries);
  const local = own === null || facts === null ? [] : [targetOf(own, "local", own.id, facts)];
  const targets = [...local, ...entries.map((entry) => providerTarget(model, entry))];
  return { group, facts, model, targets };
}
