/** A prompt that is being evaluated. */
export interface OpenPrompt {
  /** Tokens that are still to be evaluated. */
  readonly left: number;
  /** Its result must not depend on what is in the batch beside it. */
  readonly apart: boolean;
}

/**
 * How many tokens of each of the first prompts in line to evaluate together, `most` in all: 32 of them
 * cost half of what four times eight do. Of the first prompt it may be a part; the next ones are beside it
 * where all of each fits. One that is apart is alone.
 */
export function prefillShares(line: readonly OpenPrompt[], most: number): number[] {
  const [first, ...next] = line;
  if (first === undefined) return [];
  const shares = [Math.min(most, first.left)];
  if (first.apart) return shares;
  let left = most - first.left;
  for (const prompt of next) {
    if (prompt.apart || prompt.left > left) break;
    shares.push(prompt.left);
    left -= prompt.left;
  }
  return shares;
}
