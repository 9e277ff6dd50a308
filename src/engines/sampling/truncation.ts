import type { Candidates } from "./candidates.ts";

/** Keeps the `k` likeliest tokens (Fan, Lewis and Dauphin, arXiv:1805.04833). 0 is off. */
export function topK(candidates: Candidates, k: number): void {
  if (k > 0) candidates.keepFirst(k);
}

/**
 * Nucleus sampling: keeps the fewest of the likeliest tokens whose probabilities together reach `p`
 * (Holtzman et al., arXiv:1904.09751). The token that reaches it stays. 1 is off.
 */
export function topP(candidates: Candidates, p: number): void {
  if (p >= 1) return;
  const enough = p * candidates.weigh();
  const { weights, size } = candidates;
  let sum = 0;
  let kept = 0;
  while (kept < size && (kept === 0 || sum < enough)) {
    sum += weights[kept] ?? 0;
    kept++;
  }
  candidates.keepFirst(kept);
}

/**
 * Drops tokens less likely than this share of the likeliest one's probability (Nguyen et al.,
 * arXiv:2407.01082). 0 is off.
 */
export function minP(candidates: Candidates, share: number): void {
  if (share <= 0) return;
  const lowest = (candidates.logits[0] ?? 0) + Math.log(share);
  candidates.keepFirst(countFrom(candidates.logits, candidates.size, lowest));
}

/**
 * Drops tokens less likely than `a` times the square of the likeliest one's probability (BlinkDL's
 * RWKV-LM, "top-a"; Aphrodite's `top_a`). 0 is off.
 */
export function topA(candidates: Candidates, a: number): void {
  if (a <= 0) return;
  const sum = candidates.weigh();
  const { weights, size } = candidates;
  const most = weights[0] ?? 0;
  candidates.keepFirst(countFrom(weights, size, (a * most * most) / sum));
}

/**
 * Drops tokens whose logit is more than `n` standard deviations below the highest one (Tang et al.,
 * "Top-nσ", arXiv:2411.07641). The deviation is that of the logits of all tokens that may come, as in
 * llama.cpp. No temperature changes what is kept. 0 is off.
 */
export function topNSigma(candidates: Candidates, n: number): void {
  const { logits, size } = candidates;
  if (n <= 0 || size < 2) return;
  let sum = 0;
  for (let at = 0; at < size; at++) sum += logits[at] ?? 0;
  const mean = sum / size;
  let squares = 0;
  for (let at = 0; at < size; at++) squares += ((logits[at] ?? 0) - mean) ** 2;
  const lowest = (logits[0] ?? 0) - n * Math.sqrt(squares / size);
  candidates.keepFirst(countFrom(logits, size, lowest));
}

/** How many of the first `size` descending values are `lowest` or more. */
export function countFrom(
  values: Float32Array | Float64Array,
  size: number,
  lowest: number,
): number {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? 0) >= lowest) low = middle + 1;
    else high = middle;
  }
  return low;
}
