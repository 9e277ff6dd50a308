/**
 * Fixed buckets for durations, so that histograms of any two spans add up: bucket 0 holds up to 1 ms,
 * then five a decade, and the last one everything over 1,000,000 ms.
 */
const STEPS = [1, 1.6, 2.5, 4, 6.3];

/** Upper bounds of the buckets in milliseconds; the last bucket has none. */
export const BUCKET_BOUNDS: readonly number[] = [
  ...[0, 1, 2, 3, 4, 5].flatMap((decade) => STEPS.map((step) => round(step * 10 ** decade))),
  1_000_000,
];

export const BUCKETS = BUCKET_BOUNDS.length + 1;

/** The bucket of a duration in milliseconds, 0 to 31. What is no number of at least 0 is in the first. */
export function bucketOf(ms: number): number {
  let low = 0;
  let high = BUCKET_BOUNDS.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ms > (BUCKET_BOUNDS[middle] ?? 0)) low = middle + 1;
    else high = middle;
  }
  return ms >= 0 ? low : 0;
}

/**
 * The duration, in milliseconds, that a share `q` (0 to 1) of the counted calls did not exceed; null
 * for an empty histogram. Within a bucket it goes by logarithm, so it is wrong by less than a bucket's
 * width, a factor of 1.6; in the last bucket it is that bucket's lower bound.
 */
export function quantile(counts: readonly number[], q: number): number | null {
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all === 0) return null;
  const wanted = Math.min(Math.max(q, 0), 1) * all;
  let below = 0;
  for (const [bucket, count] of counts.entries()) {
    if (count > 0 && below + count >= wanted) {
      const upper = BUCKET_BOUNDS[bucket];
      const lower = BUCKET_BOUNDS[bucket - 1];
      if (upper === undefined) return BUCKET_BOUNDS.at(-1) ?? null;
      const share = (wanted - below) / count;
      return lower === undefined ? upper * share : lower * (upper / lower) ** share;
    }
    below += count;
  }
  return BUCKET_BOUNDS.at(-1) ?? null;
}

/** Names of a histogram's columns: `f00` to `f31`. */
export function bucketColumns(prefix: "f" | "t" | "q"): string[] {
  return Array.from({ length: BUCKETS }, (_, n) => `${prefix}${String(n).padStart(2, "0")}`);
}

/** 2.5 * 10 ** 3 is 2500, not 2500.0000000000005. */
function round(value: number): number {
  return Number(value.toPrecision(6));
}
