/**
 * Levels of nesting a request may have. JSON.parse takes any depth, but what comes after it (JSON.stringify
 * to an upstream, templates, structured clones) recurses: 100,000 levels end in a RangeError there.
 */
export const MAX_DEPTH = 256;

/** Whether arrays and objects in `value` are nested more than `levels` deep. Recurses at most that far. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === "object" && isDeeperThan(item, levels - 1)) return true;
    }
    return false;
  }
  for (const item of Object.values(value)) {
    if (typeof item === "object" && isDeeperThan(item, levels - 1)) return true;
  }
  return false;
}
