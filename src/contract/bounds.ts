/**
 * Levels of nesting a request may have. JSON.parse takes any depth, but what comes after it (JSON.stringify
 * to an upstream, templates, structured clones) recurses: 100,000 levels end in a RangeError there.
 */
export const MAX_DEPTH = 256;

/**
 * Items one list, or fields one object, in a request may have: as many as the longest contexts have tokens. Validation takes
 * about a microsecond an item, and eight million of them stopped every other request for seconds.
 */
export const MAX_ITEMS = 262_144;

/**
 * What a text inside a request is the JSON of; undefined where it is none, or beyond these bounds: the body's
 * own do not see into its texts.
 */
export function boundedJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  return excess(value) === null ? value : undefined;
}

/** What of a parsed JSON value is out of bounds, or null. Recurses at most `levels` deep. */
export function excess(value: unknown, levels = MAX_DEPTH): "depth" | "items" | null {
  if (typeof value !== "object" || value === null) return null;
  if (levels === 0) return "depth";
  const items: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  if (items.length > MAX_ITEMS) return "items";
  for (const item of items) {
    if (typeof item !== "object") continue;
    const found = excess(item, levels - 1);
    if (found !== null) return found;
  }
  return null;
}
