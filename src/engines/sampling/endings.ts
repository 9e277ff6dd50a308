import type { Sampling } from "../protocol.ts";

/**
 * The tokens that must not come after so many sampled ones: those that end a text with `ignore_eos`
 * (llama.cpp's definition: they are never sampled), and until there are `min_tokens` these and
 * `stop_token_ids` (vLLM's). Null where there never are any. Where nothing else may come, they may.
 */
export function heldBack<Token extends number>(
  sampling: Pick<Sampling, "minTokens" | "ignoreEndOfText" | "stopTokens">,
  endOfGeneration: readonly Token[],
  isToken: (id: number) => id is Token,
): ((completionTokens: number) => readonly Token[]) | null {
  const { minTokens, ignoreEndOfText, stopTokens } = sampling;
  if (minTokens === 0 && !ignoreEndOfText) return null;
  const always = ignoreEndOfText ? endOfGeneration : [];
  const atFirst = [...new Set([...endOfGeneration, ...stopTokens.filter(isToken)])];
  return (completionTokens) => (completionTokens < minTokens ? atFirst : always);
}
