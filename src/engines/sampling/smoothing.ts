import type { Candidates } from "./candidates.ts";

/** Above it, tokens somewhat less likely than the likeliest one overtake it. */
const LAST_CURVE_THAT_KEEPS_THE_ORDER = 3;

/**
 * Quadratic sampling (kalomaze, text-generation-webui pull request 5403; with the cubic part, 5551):
 * a logit that is d below the highest one becomes `s·d³ - k·d²` relative to it, with d negative,
 * `k = factor · (3 - curve) / 2` and `s = factor · (curve - 1) / 2`. Factor 0 is off.
 */
export function smoothing(candidates: Candidates, factor: number, curve: number): void {
  if (factor <= 0) return;
  const k = (factor * (3 - curve)) / 2;
  const s = (factor * (curve - 1)) / 2;
  candidates.rescale((below) => (s * below - k) * below * below);
  if (curve > LAST_CURVE_THAT_KEEPS_THE_ORDER) candidates.reorder();
}
