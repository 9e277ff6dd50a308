/**
 * A table's entry under a name that somebody else chose: `constructor` and the like, which every
 * object has, are in no table.
 */
export function own<Value>(
  table: Readonly<Record<string, Value>>,
  name: string,
): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
