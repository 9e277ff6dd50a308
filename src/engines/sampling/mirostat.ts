import type { Candidates } from "./candidates.ts";
import { countFrom } from "./truncation.ts";

/** Tokens from which version 1 estimates the distribution's slope, as in the paper's own code. */
const SLOPE_TOKENS = 100;

/**
 * Mirostat keeps the surprise of the text, in bits a token, near `tau` (Basu et al.,
 * arXiv:2007.14966). `mu` is the most surprise it lets pass; it begins at twice `tau`, and each
 * token's error corrects it by `eta`.
 */
export interface Mirostat {
  /** Leaves out what would be more of a surprise than `mu`. */
  cut(candidates: Candidates): void;
  /** Corrects `mu` by the token that was chosen, by its place among those that `cut` left. */
  correct(candidates: Candidates, place: number): void;
}

/** Version 1 cuts where Zipf's law puts a surprise of `mu`, version 2 at each token's own surprise. */
export function createMirostat(version: 1 | 2, tau: number, eta: number): Mirostat {
  let mu = 2 * tau;
  let whole = 1;
  return {
    cut: (candidates) => {
      whole = candidates.weigh();
      if (version === 1) candidates.keepFirst(Math.trunc(zipfCut(candidates, mu)));
      else candidates.keepFirst(countFrom(candidates.weights, candidates.size, whole * 2 ** -mu));
    },
    // The surprise is the model's, before the cut: so the paper, its code and Aphrodite have it.
    correct: (candidates, place) => {
      const surprise = -Math.log2((candidates.weights[place] ?? 0) / whole);
      mu -= eta * (surprise - tau);
    },
  };
}

/** How many tokens a surprise of `mu` bits stands for, by the paper's equation 10 (Algorithm 1). */
function zipfCut({ weights, size, vocabularySize }: Candidates, mu: number): number {
  let products = 0;
  let squares = 0;
  for (let at = 0; at + 1 < Math.min(SLOPE_TOKENS, size); at++) {
    const t = Math.log((at + 2) / (at + 1));
    const b = Math.log((weights[at] ?? 0) / (weights[at + 1] ?? 0));
    if (!Number.isFinite(b)) break;
    products += t * b;
    squares += t * t;
  }
  if (squares === 0) return size;
  const slope = products / squares;
  const epsilon = slope - 1;
  // At slope 1 the fraction has its limit there, 1 / ln N.
  const scale =
    Math.abs(epsilon) < 1e-9
      ? 1 / Math.log(vocabularySize)
      : epsilon / (1 - vocabularySize ** -epsilon);
  const count = (scale * 2 ** mu) ** (1 / slope);
  return Number.isNaN(count) ? size : count;
}
