import type { Meter, Price, SettleRecord } from "../types.ts";
import type { MostUsed } from "./limits/claim.ts";

/**
 * What calls cost: the one place that says so. `docs/cost.md` is the same in words. Amounts are
 * billionths of a US dollar, whole ones; null is "nobody knows", which is not 0.
 */

const NANO = 1e9;

/** What a call used. `cachedTokens` are part of `promptTokens`. */
export interface Used {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** Images it was given as its answer; none if left out. */
  readonly images?: number;
}

/** What so much costs at this price; null where no price is known. */
export function costNanoUsd(price: Price | null, used: Used): number | null {
  if (price === null) return null;
  const { promptTokens, completionTokens, images = 0 } = used;
  if (images > 0 && price.image === null) return null;
  const cachedTokens = Math.min(used.cachedTokens, promptTokens);
  const dollars =
    (promptTokens - cachedTokens) * price.prompt +
    cachedTokens * (price.cached ?? price.prompt) +
    completionTokens * price.completion +
    images * (price.image ?? 0) +
    price.request;
  return Math.round(dollars * NANO);
}

/** Dollars in billionths. */
export function nanoUsd(dollars: number | null): number | null {
  return dollars === null ? null : Math.round(dollars * NANO);
}

/**
 * What a call counts as having used. Of an answer whose client left before any of it could be counted
 * that is the most it can have been: it was made all the same, for as long as its provider liked.
 */
export function usedBy(
  status: SettleRecord["status"],
  meter: Readonly<Meter>,
  most: MostUsed,
): Used {
  const { promptTokens, completionTokens, cachedTokens, images } = meter;
  if (status !== "cancelled" || !meter.unseen)
    return { promptTokens, completionTokens, cachedTokens, images };
  return {
    promptTokens: Math.max(promptTokens, most.promptTokens),
    completionTokens: Math.max(completionTokens, most.completionTokens),
    cachedTokens: 0,
    images,
  };
}

/** A call that has ended. */
export interface Ended {
  readonly status: SettleRecord["status"];
  readonly price: Price | null;
  readonly used: Used;
  /** Whether it was sent to a target: until then it has used nothing. */
  readonly answered: boolean;
  /** US dollars its provider says it charged. */
  readonly reported: number | null;
  /** Whether more than one attempt made the answer, so that no provider's word covers all of it. */
  readonly resumed: boolean;
}

/**
 * What a call is charged. A failure costs nothing; a client that left pays for what `usedBy` says; a
 * provider's own word counts before the catalog's price, unless others made a part of the answer.
 */
export function chargeNanoUsd(call: Ended): number | null {
  if (call.status === "failed" || call.status === "refused" || !call.answered) return 0;
  const reported = nanoUsd(call.reported);
  if (reported !== null && !call.resumed) return reported;
  return costNanoUsd(call.price, call.used) ?? reported;
}
