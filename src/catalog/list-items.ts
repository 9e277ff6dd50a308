/** The items of a list in JSON: the whole, or what is under one of these names; null for a text that is none. */
export function itemsIn(text: string, names: readonly string[]): readonly unknown[] | null {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return null;
  }
  if (Array.isArray(list)) return list;
  if (typeof list !== "object" || list === null) return null;
  for (const name of names) {
    const items: unknown = Reflect.get(list, name);
    if (Array.isArray(items)) return items;
  }
  return null;
}
