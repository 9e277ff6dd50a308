import { GatewayError } from "../../contract/errors.ts";
import type { Budget } from "../../types.ts";
import { ANONYMOUS } from "../authenticate.ts";
import type { Claim } from "./limits.ts";
import { likelyOf } from "./room.ts";

/** Why a request is not admitted, in the caller's words. */

const USUAL_OUTAGE_S = 5;
/** A place is free when a call ends, and nobody knows when that is. */
export const USUAL_WAIT_S = 1;

export function tooManyRequests(claim: Claim, waitMs: number): GatewayError {
  const most = counted(claim.limits.requestsPerMinute, "request");
  return limited(`${whose(claim)} may send ${most} a minute. ${again(waitMs)}`, waitMs);
}

export function tooManyTokens(claim: Claim, waitMs: number): GatewayError {
  const { limits, tokens, answer = 0 } = claim;
  const parts = answersNothing(claim) ? "" : ", prompt and answer together";
  const own = answer > 0 ? `, ${answer} of them for its answer` : "";
  const less = answer > 0 ? " Less is set aside for it with a lower max_tokens." : "";
  return limited(
    `This request may take up to ${tokens} tokens${parts}${own}; ${inside(claim)} may take ${limits.tokensPerMinute} a minute. ${again(waitMs)}${less}`,
    waitMs,
  );
}

/** More than the whole limit: waiting can't help. */
export function neverFits(claim: Claim): GatewayError {
  const most = `${inside(claim)} may take ${claim.limits.tokensPerMinute} a minute`;
  const likely = likelyOf(claim).tokens;
  if (answersNothing(claim))
    return new GatewayError(
      "invalid_request",
      `This input is taken for some ${likely} tokens, rather too many than too few, and ${most}. Send less at once.`,
      { param: "input" },
    );
  return new GatewayError(
    "invalid_request",
    `This request may take some ${likely} tokens, prompt and answer together, and ${most}. Send less, or ask for fewer with max_tokens.`,
    { param: "max_tokens" },
  );
}

export function tooManyAtOnce(claim: Claim): GatewayError {
  const { limits, units } = claim;
  const takes = units === 1 ? "" : `, and this model takes ${units} of them`;
  return new GatewayError(
    "concurrency_limit_exceeded",
    `${whose(claim)} may have ${counted(limits.concurrency, "request")} running at once${takes}. Wait for one to end.`,
    { retryAfter: USUAL_WAIT_S },
  );
}

export function tooManyImages(claim: Claim): GatewayError {
  const most = counted(claim.limits.imageParallel, "request");
  return new GatewayError(
    "concurrency_limit_exceeded",
    `${whose(claim)} may have ${most} for images running at once. Wait for one to end.`,
    { retryAfter: USUAL_WAIT_S },
  );
}

export function unitsNeverFit({ limits, units }: Claim): GatewayError {
  return new GatewayError(
    "model_not_allowed",
    `This model takes ${units} units of concurrency, and this key has ${limits.concurrency}.`,
    { param: "model" },
  );
}

/**
 * @param claim whose key's budget is spent
 * @param costNanoUsd what the request likely takes
 * @param leftNanoUsd what is neither spent nor set aside for running calls
 */
export function budgetSpent(
  claim: Claim,
  budget: Budget,
  costNanoUsd: number,
  leftNanoUsd: number,
): GatewayError {
  const all = `${dollars(budget.nanoUsd)} a ${budget.period}`;
  const message =
    leftNanoUsd <= 0
      ? `This key's budget of ${all} is spent.`
      : `This request may cost some ${dollars(costNanoUsd)}, and of this key's budget of ${all} ${dollars(leftNanoUsd)} is left.${cheaper(claim)}`;
  return new GatewayError("insufficient_quota", message, { docUrl: "/docs/limits" });
}

export function budgetUnknown(cause: unknown): GatewayError {
  return new GatewayError(
    "unavailable",
    "What this key has spent can't be read just now. Try again in a moment.",
    { retryAfter: 5, cause },
  );
}

/** Nobody knows what was granted in the last minute: it counts as all. */
export function unknownWindow(waitMs: number): GatewayError {
  return limited(
    `The shared limits begin anew, and it is not known what this key sent before. ${again(waitMs)}`,
    waitMs,
  );
}

export function unreachable(waitMs: number): GatewayError {
  const retryAfter = Number.isFinite(waitMs) ? waitMs / 1000 : USUAL_OUTAGE_S;
  return new GatewayError(
    "unavailable",
    "The shared limits can't be reached, so that it is not known what this key may send.",
    { retryAfter },
  );
}

export function draining(): GatewayError {
  return new GatewayError("unavailable", "The server is shutting down.", { retryAfter: 5 });
}

/** Of a caller without a key the limits are those of all who have none. */
function whose({ keyId }: Claim): string {
  return keyId === ANONYMOUS.keyId ? "Calls without a key together" : "This key";
}

function inside(claim: Claim): string {
  return claim.keyId === ANONYMOUS.keyId ? "calls without a key together" : "this key";
}

/** Whether nothing is written for it: embeddings, images. */
function answersNothing({ answer }: Claim): boolean {
  return answer === 0;
}

/** How the same may cost less. */
function cheaper(claim: Claim): string {
  if (claim.image) return "";
  return answersNothing(claim) ? " Send less at once." : " Ask for less with max_tokens.";
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function limited(message: string, waitMs: number): GatewayError {
  return new GatewayError("rate_limit_exceeded", message, { retryAfter: waitMs / 1000 });
}

function again(waitMs: number): string {
  return `Try again in ${Math.ceil(waitMs / 1000)} s.`;
}

function dollars(nanoUsd: number): string {
  const text = (nanoUsd / 1e9).toFixed(9).replace(/0+$/, "");
  const [whole = "0", fraction = ""] = text.split(".");
  return `$${whole}.${fraction.padEnd(2, "0")}`;
}
