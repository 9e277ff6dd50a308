import type { GatewayError } from "../../../contract/errors.ts";
import type { Claim } from "../limits.ts";
import * as refusals from "../refusals.ts";
import { likelyOf } from "../room.ts";
import type { Answer } from "./messages.ts";

/** Why the script did not grant a claim. */
export type No = Exclude<Answer, { no?: undefined }>;

/** The same in the caller's words. */
export function refusalOf(claim: Claim, answer: No): GatewayError {
  const { limits } = claim;
  switch (answer.no) {
    case "requests":
      return refusals.tooManyRequests(claim, answer.w);
    case "tokens":
      return refusals.tooManyTokens(claim, answer.w);
    case "closed":
      return refusals.unknownWindow(answer.w);
    case "units":
      return refusals.tooManyAtOnce(claim);
    case "images":
      return refusals.tooManyImages(claim);
    case "budget":
      return limits.budget === null
        ? refusals.budgetUnknown("a budget that is none")
        : refusals.budgetSpent(claim, limits.budget, likelyOf(claim).costNanoUsd, answer.l);
    case "unread":
      return refusals.budgetUnknown("Redis forgot what was read at once");
    case "void":
      return refusals.unreachable(Number.POSITIVE_INFINITY);
  }
}
