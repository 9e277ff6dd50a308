import type { Candidates } from "./candidates.ts";
import { suffixLengths } from "./suffix-lengths.ts";

/**
 * Takes out every token that would be the last of `size` tokens which are there in this order already
 * (Paulus, Xiong and Socher, arXiv:1705.04304, as Hugging Face's `NoRepeatNGramLogitsProcessor` and
 * Aphrodite have it: over prompt and answer). Where it would leave none, it takes out none. 0 is off.
 */
export function noRepeatNgram(
  candidates: Candidates,
  size: number,
  tokens: readonly number[],
): void {
  if (size > 0) candidates.adjust(completions(size, tokens), () => Number.NEGATIVE_INFINITY);
}

/** The tokens that came after each earlier place where the last `size - 1` tokens stand. */
export function completions(size: number, tokens: readonly number[]): Set<number> {
  const begun = size - 1;
  if (begun === 0) return new Set(tokens);
  const found = new Set<number>();
  if (begun >= tokens.length) return found;
  const lengths = suffixLengths(tokens);
  for (let end = 0; end + 1 < tokens.length; end++) {
    const next = tokens[end + 1];
    if ((lengths[end] ?? 0) >= begun && next !== undefined) found.add(next);
  }
  return found;
}
