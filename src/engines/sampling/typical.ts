import type { Candidates } from "./candidates.ts";
import { entropy } from "./entropy.ts";

/**
 * Locally typical sampling (Meister et al., arXiv:2202.00666): keeps the tokens whose surprise is
 * nearest to the expected one, the entropy, until their probabilities together reach `p`; the token
 * that reaches it stays, as in the paper and in llama.cpp. 1 is off.
 *
 * Surprise grows along the candidates, so those nearest to the entropy are a range of them, which
 * grows at the end that is nearer.
 */
export function typical(candidates: Candidates, p: number): void {
  if (p >= 1) return;
  const expected = entropy(candidates);
  const sum = candidates.weigh();
  const { logits, weights, size } = candidates;
  const certain = (logits[0] ?? 0) - Math.log((weights[0] ?? 1) / sum);
  const surprise = (place: number): number => certain - (logits[place] ?? 0);
  let to = 0;
  while (to < size && surprise(to) < expected) to++;
  let from = to;
  const enough = p * sum;
  let mass = 0;
  while (to - from < size && (to === from || mass < enough)) {
    const before = from > 0 ? expected - surprise(from - 1) : Number.POSITIVE_INFINITY;
    const after = to < size ? surprise(to) - expected : Number.POSITIVE_INFINITY;
    if (before <= after) mass += weights[--from] ?? 0;
    else mass += weights[to++] ?? 0;
  }
  candidates.keepRange(from, to);
}
