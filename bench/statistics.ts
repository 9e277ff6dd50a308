/** What several rounds gave. The median is the figure; the rest says how far to trust it. */
export interface Sample {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly values: readonly number[];
}

/** @throws RangeError without a value */
export function sample(values: readonly number[]): Sample {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    median: quantile(sorted, 0.5),
    min: quantile(sorted, 0),
    max: quantile(sorted, 1),
    values,
  };
}

/** How far the rounds lie apart: (max − min) / median. */
export function spread({ median, min, max }: Sample): number {
  return median === 0 ? 0 : (max - min) / median;
}

/** Round by round, so that what slowed both sides of a round down falls out. */
export function ratios(ours: readonly number[], theirs: readonly number[]): Sample {
  return sample(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)));
}

/** Linear between the two nearest, as NumPy's default. `sorted` is ascending. */
function quantile(sorted: readonly number[], q: number): number {
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)];
  const high = sorted[Math.ceil(at)];
  if (low === undefined || high === undefined) throw new RangeError("no values");
  return low + (high - low) * (at - Math.floor(at));
}
