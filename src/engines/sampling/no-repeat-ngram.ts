import type { Candidates } from "./candidates.ts";

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
  const found = new Set<number>();
  const begun = size - 1;
  const tail = tokens.length - begun;
  for (let start = 0; start < tail; start++) {
    let same = 0;
    while (same < begun && tokens[start + same] === tokens[tail + same]) same++;
    const next = tokens[start + begun];
    if (same === begun && next !== undefined) found.add(next);
  }
  return found;
}
