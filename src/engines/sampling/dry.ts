import type { Candidates } from "./candidates.ts";
import { suffixLengths } from "./suffix-lengths.ts";

export interface DryOptions {
  readonly multiplier: number;
  readonly base: number;
  readonly allowedLength: number;
}

/** Nothing a model finds likely comes after this penalty, and it leaves logits numbers. */
const MOST_PENALTY = 1e4;

/**
 * Don't repeat yourself (p-e-w, text-generation-webui pull request 5677): a token that would prolong
 * a sequence which is there already loses `multiplier · base ^ (length - allowedLength)`, where length
 * is that of the longest such sequence, once it is `allowedLength` or more; never more than 10,000. `tokens` are prompt and
 * answer, or the last ones of them; `breaks` tells whether a token holds a sequence breaker, and
 * `limit` is how many tokens follow the last breaker: no sequence goes back beyond it. Multiplier 0
 * is off.
 */
export function dry(
  candidates: Candidates,
  options: DryOptions,
  tokens: readonly number[],
  limit: number,
  breaks: (token: number) => boolean,
): void {
  const { multiplier, base, allowedLength } = options;
  if (multiplier === 0) return;
  const longest = prolonged(tokens, allowedLength, limit);
  candidates.adjust(longest.keys(), (logit, token) => {
    if (breaks(token)) return logit;
    const beyond = (longest.get(token) ?? 0) - allowedLength;
    return logit - Math.min(MOST_PENALTY, multiplier * base ** beyond);
  });
}

/** The tokens that would prolong a repetition of at least `least` tokens, with its length. */
export function prolonged(
  tokens: readonly number[],
  least: number,
  limit: number,
): Map<number, number> {
  const longest = new Map<number, number>();
  if (limit < least) return longest;
  const lengths = suffixLengths(tokens);
  for (let end = 0; end + 1 < tokens.length; end++) {
    const length = Math.min(lengths[end] ?? 0, limit);
    const next = tokens[end + 1];
    // A token that nothing repeats before would prolong nothing, also where 0 tokens are allowed.
    if (length < Math.max(1, least) || next === undefined) continue;
    longest.set(next, Math.max(length, longest.get(next) ?? 0));
  }
  return longest;
}
