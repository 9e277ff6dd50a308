/** Lists of names and patterns, as keys and plans have them: `*` stands for any text, and nothing else is special. */

const compiled = new WeakMap<readonly string[], (name: string) => boolean>();

/**
 * Whether one of these names, in any case, is on the list. The list's own items are lower case; what
 * was made of a list is kept for as long as the list itself.
 */
export function isOnList(list: readonly string[], names: readonly string[]): boolean {
  let test = compiled.get(list);
  if (test === undefined) {
    test = tester(list);
    compiled.set(list, test);
  }
  return names.some(test);
}

function tester(list: readonly string[]): (name: string) => boolean {
  const plain = new Set(list.filter((item) => !item.includes("*")));
  const patterns = list.filter((item) => item.includes("*")).map((item) => item.split("*"));
  return (name) => {
    const lower = name.toLowerCase();
    return plain.has(lower) || patterns.some((parts) => matches(lower, parts));
  };
}

/** The parts one after the other, the first at the start and the last at the end: no backtracking, so no slow pattern. */
function matches(name: string, parts: readonly string[]): boolean {
  const first = parts[0] ?? "";
  const last = parts.at(-1) ?? "";
  if (name.length < first.length + last.length) return false;
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  const end = name.length - last.length;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = name.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
