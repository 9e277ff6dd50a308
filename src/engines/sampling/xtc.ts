import type { Candidates } from "./candidates.ts";
import type { Random } from "./random.ts";
import { countFrom } from "./truncation.ts";

/**
 * Exclude top choices (p-e-w, text-generation-webui pull request 6335): with the probability given,
 * leaves out all tokens that reach the threshold but the least likely of them. One random number a
 * call. Probability 0 is off, as is a threshold above 0.5, which no two tokens reach.
 */
export function xtc(
  candidates: Candidates,
  probability: number,
  threshold: number,
  random: Random,
): void {
  if (probability <= 0 || random() >= probability) return;
  const lowest = threshold * candidates.weigh();
  candidates.dropFirst(countFrom(candidates.weights, candidates.size, lowest) - 1);
}
