/**
 * About how many bytes a JSON value takes in memory, or more than `limit` as soon as it is more. Looks
 * at no text, only at its length.
 */
export function weigh(value: unknown, limit: number): number {
  let weight = 0;
  const waiting: object[] = [];
  const add = (part: unknown): void => {
    weight += 8;
    if (typeof part === "string") weight += part.length;
    else if (typeof part === "object" && part !== null) waiting.push(part);
  };
  add(value);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (weight > limit) return limit + 1;
    if (Array.isArray(next)) {
      for (const item of next) add(item);
      continue;
    }
    for (const [name, part] of Object.entries(next)) {
      weight += name.length;
      add(part);
    }
  }
  return weight;
}
