import type { Point } from "./geometry.ts";

/** Pixels that touch each other, diagonally too. */
export interface Component {
  /** Outer corners of its first and last pixel in each of its runs: enough for its convex hull. */
  readonly outline: readonly Point[];
  readonly pixels: number;
  /** Of the map's values. */
  readonly sum: number;
}

/** One row's unbroken piece. */
interface Run {
  readonly y: number;
  readonly from: number;
  /** Behind its last pixel. */
  readonly to: number;
  readonly sum: number;
  /** Index of a run of the same component, or its own. */
  parent: number;
}

/** Finds what lies above the threshold in a map of `width` × `height` values, row after row. */
export function components(
  map: Float32Array,
  width: number,
  height: number,
  threshold: number,
): readonly Component[] {
  const runs: Run[] = [];
  let above: readonly number[] = [];
  for (let y = 0; y < height; y++) {
    const row = runsOf(map, width, y, threshold);
    const indexes: number[] = [];
    for (const run of row) {
      const index = runs.length;
      runs.push({ ...run, parent: index });
      indexes.push(index);
      for (const other of above) {
        const neighbour = runs[other];
        if (neighbour === undefined || neighbour.to < run.from) continue;
        if (neighbour.from > run.to) break;
        join(runs, index, other);
      }
    }
    above = indexes;
  }
  return collected(runs);
}

function runsOf(map: Float32Array, width: number, y: number, threshold: number) {
  const runs: Omit<Run, "parent">[] = [];
  let from = -1;
  let sum = 0;
  for (let x = 0; x <= width; x++) {
    const value = x < width ? (map[y * width + x] ?? 0) : 0;
    if (value > threshold) {
      if (from < 0) from = x;
      sum += value;
    } else if (from >= 0) {
      runs.push({ y, from, to: x, sum });
      from = -1;
      sum = 0;
    }
  }
  return runs;
}

function rootOf(runs: readonly Run[], index: number): number {
  let root = index;
  for (let run = runs[root]; run !== undefined && run.parent !== root; run = runs[root])
    root = run.parent;
  // What was walked becomes short.
  for (let run = runs[index]; run !== undefined && run.parent !== root; ) {
    const next = run.parent;
    run.parent = root;
    run = runs[next];
  }
  return root;
}

function join(runs: readonly Run[], a: number, b: number): void {
  const root = runs[rootOf(runs, a)];
  if (root !== undefined) root.parent = rootOf(runs, b);
}

function collected(runs: readonly Run[]): readonly Component[] {
  const found = new Map<number, { outline: Point[]; pixels: number; sum: number }>();
  runs.forEach(({ y, from, to, sum }, index) => {
    const root = rootOf(runs, index);
    let component = found.get(root);
    if (component === undefined) {
      component = { outline: [], pixels: 0, sum: 0 };
      found.set(root, component);
    }
    for (const x of [from, to]) component.outline.push({ x, y }, { x, y: y + 1 });
    component.pixels += to - from;
    component.sum += sum;
  });
  return [...found.values()];
}
