import type { Candidates } from "./candidates.ts";

/** The entropy of the distribution, in nats. */
export function entropy(candidates: Candidates): number {
  const sum = candidates.weigh();
  const { logits, weights, size } = candidates;
  // The logarithm of a weight is its logit's distance from the one all weights are relative to.
  const reference = (logits[0] ?? 0) - Math.log(weights[0] ?? 1);
  let expected = 0;
  for (let at = 0; at < size; at++) {
    const weight = weights[at] ?? 0;
    if (weight > 0) expected += weight * ((logits[at] ?? 0) - reference);
  }
  return Math.max(0, Math.log(sum) - expected / sum);
}
