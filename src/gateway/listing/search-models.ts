import type { ModelItem, ModelsQuery } from "../../contract/models.ts";

/** What a search looks at, in lower case where it looks at text. */
interface Search {
  readonly text: string;
  readonly name: string;
  readonly id: string;
  readonly tags: readonly string[];
  readonly abilities: readonly string[];
}

const searches = new WeakMap<ModelItem, Search>();

export function searchOf(item: ModelItem): Search {
  const known = searches.get(item);
  if (known !== undefined) return known;
  const made = {
    text: `${item.id} ${item.name} ${item.description}`.toLowerCase(),
    name: item.name.toLowerCase(),
    id: item.id.toLowerCase(),
    tags: Array.isArray(item.tags) ? item.tags : [],
    abilities: [...item.supported_features, ...abilitiesOf(item)],
  };
  searches.set(item, made);
  return made;
}

/** Whether an item holds against all filters of a query; null for a query without any. */
export function matcher(query: ModelsQuery): ((item: ModelItem) => boolean) | null {
  const { category, tags, modalities, capabilities, context_length_min: least } = query;
  const checks: ((item: ModelItem, search: Search) => boolean)[] = [];
  for (const words of [query.q, query.family]) {
    const wanted = words?.toLowerCase();
    if (wanted !== undefined) checks.push((_, { text }) => text.includes(wanted));
  }
  const provider = query.provider?.trim().toLowerCase();
  if (provider !== undefined)
    checks.push(({ providers }) => providers?.includes(provider) ?? false);
  if (category !== undefined) checks.push((item) => item.category === category);
  if (tags !== undefined)
    checks.push((_, search) => tags.every((tag) => search.tags.includes(tag)));
  if (modalities !== undefined)
    checks.push(({ input_modalities: input, output_modalities: output }) =>
      modalities.every((each) => input.includes(each) || output.includes(each)),
    );
  if (capabilities !== undefined)
    checks.push((_, { abilities }) => capabilities.every((each) => abilities.includes(each)));
  if (least !== undefined) checks.push((item) => (item.context_length ?? 0) >= least);
  if (query.available_on_current_plan === true)
    checks.push((item) => item.available_on_current_plan);
  if (checks.length === 0) return null;
  return (item) => {
    const search = searchOf(item);
    return checks.every((check) => check(item, search));
  };
}

function abilitiesOf(item: ModelItem): string[] {
  return Object.entries(item.features).flatMap(([name, has]) => (has === true ? [name] : []));
}

/** Compares by a field. */
export function order(by: string, descending: boolean): (a: ModelItem, b: ModelItem) => number {
  const sign = descending ? -1 : 1;
  const key = (item: ModelItem): string | number =>
    by === "created"
      ? item.created
      : by === "context_length"
        ? (item.context_length ?? 0)
        : by === "price"
          ? item.pricing.input
          : by === "name"
            ? searchOf(item).name
            : searchOf(item).id;
  return (a, b) => {
    const [x, y] = [key(a), key(b)];
    return x < y ? -sign : x > y ? sign : 0;
  };
}
