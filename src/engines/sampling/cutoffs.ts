import type { Candidates } from "./candidates.ts";
import { entropy } from "./entropy.ts";
import { countFrom } from "./truncation.ts";

/**
 * Drops tokens whose probability is below `epsilon`, but for the likeliest one (Hewitt, Manning and
 * Liang, "Truncation sampling as language model desmoothing", arXiv:2210.15191). 0 is off.
 */
export function epsilonCutoff(candidates: Candidates, epsilon: number): void {
  if (epsilon <= 0) return;
  const lowest = epsilon * candidates.weigh();
  candidates.keepFirst(countFrom(candidates.weights, candidates.size, lowest));
}

/**
 * The same with a cutoff that falls where the model is uncertain: `min(epsilon, √epsilon · e^-H)`,
 * where H is the entropy (the same paper's eta sampling). 0 is off.
 */
export function etaCutoff(candidates: Candidates, epsilon: number): void {
  if (epsilon <= 0) return;
  epsilonCutoff(candidates, Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropy(candidates))));
}
