/**
 * What may come next: tokens with their logits, the likeliest first. Only the first `size` places of
 * the arrays count, so that they serve for every token of an answer.
 */
export interface Distribution {
  readonly ids: Uint32Array;
  readonly logits: Float32Array;
  size: number;
}

/** An empty distribution with room for a whole vocabulary. */
export function createDistribution(vocabularySize: number): Distribution {
  return {
    ids: new Uint32Array(vocabularySize),
    logits: new Float32Array(vocabularySize),
    size: 0,
  };
}

/**
 * Reads the model's distribution as node-llama-cpp gives it: probabilities by token, the likeliest
 * first. Their logarithms are the logits up to a constant, which is all that most samplers ask for.
 * Tokens whose probability is less than the smallest 32-bit float can't come, and are left out.
 */
export function readProbabilities(
  probabilities: ReadonlyMap<number, number>,
  into: Distribution,
): void {
  const { ids, logits } = into;
  let size = 0;
  for (const [token, probability] of probabilities) {
    if (probability <= 0) break;
    ids[size] = token;
    logits[size] = Math.log(probability);
    size++;
  }
  into.size = size;
}

/**
 * The same, with the logits that the model computed, the constant included: the repetition penalty
 * tells positive ones from negative ones. `anchor` is a token whose logit is known to be
 * `anchorLogit` (`src/engines/llama/sampling.ts`); it tells the constant, and can't come itself.
 * Throws when it has no probability: its logit is more than 87 below the highest one.
 */
export function readLogits(
  probabilities: ReadonlyMap<number, number>,
  anchor: number,
  anchorLogit: number,
  into: Distribution,
): void {
  const known = probabilities.get(anchor) ?? 0;
  if (known <= 0) throw new Error("this model's logits are too large to be found out");
  const constant = anchorLogit - Math.log(known);
  const { ids, logits } = into;
  let size = 0;
  for (const [token, probability] of probabilities) {
    if (probability <= 0) break;
    if (token === anchor) continue;
    ids[size] = token;
    logits[size] = Math.log(probability) + constant;
    size++;
  }
  into.size = size;
}
