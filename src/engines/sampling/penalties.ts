import type { Candidates } from "./candidates.ts";
import type { SeenTokens } from "./seen-tokens.ts";

/**
 * Divides the positive logits of tokens that prompt or answer have by the penalty, and multiplies the
 * others (Keskar et al., CTRL, arXiv:1909.05858, as Hugging Face's `RepetitionPenaltyLogitsProcessor`
 * mended it). Needs the model's own logits, not ones that are right up to a constant. 1 is off.
 */
export function repetitionPenalty(candidates: Candidates, penalty: number, seen: SeenTokens): void {
  if (penalty === 1) return;
  candidates.adjust(seen.anywhere, (logit) => (logit > 0 ? logit / penalty : logit * penalty));
}

/**
 * OpenAI's penalties on what the answer has: `logit -= count · frequency + (count > 0) · presence`
 * (API reference, "frequency and presence penalties"). 0 is off.
 */
export function countPenalties(
  candidates: Candidates,
  presence: number,
  frequency: number,
  seen: SeenTokens,
): void {
  if (presence === 0 && frequency === 0) return;
  candidates.adjust(
    seen.inAnswer.keys(),
    (logit, token) => logit - presence - frequency * (seen.inAnswer.get(token) ?? 0),
  );
}
