import type { LimiterState, Limits } from "../limits.ts";

/** What decides how a gateway may admit. Times are on one clock that never goes back, in milliseconds. */
export interface Situation {
  readonly connected: boolean;
  /** When Redis was last heard; -Infinity for never. */
  readonly heardAt: number;
  /** Until then Redis does not know what was granted before. */
  readonly closedUntil: number;
  /** Whether a share is kept for this gateway. */
  readonly member: boolean;
  readonly windowMs: number;
  /** After so long a gateway is taken for cut off, and nothing older that it sent is done. */
  readonly quietMs: number;
  readonly shareForMs: number;
}

export interface Mode {
  readonly mode: LimiterState["mode"];
  /** Milliseconds until the mode may be another; Infinity while only Redis can change it. */
  readonly waitMs: number;
}

/**
 * Pure. Cut off, a gateway waits until nothing that it sent can still be granted (`quietMs`), the others
 * have taken it for cut off and its share off their limits (`quietMs` more), and what they were
 * granted before has left the window. Then it has its share, for as long as they keep it for it.
 */
export function modeAt(now: number, at: Situation): Mode {
  if (at.connected) {
    const waitMs = at.closedUntil - now;
    return waitMs > 0 ? { mode: "waiting", waitMs } : { mode: "shared", waitMs: Infinity };
  }
  const begins = at.heardAt + 2 * at.quietMs + at.windowMs;
  const ends = at.heardAt + at.shareForMs - at.quietMs;
  if (!at.member || begins >= ends || now >= ends) return { mode: "waiting", waitMs: Infinity };
  return now < begins
    ? { mode: "waiting", waitMs: begins - now }
    : { mode: "share", waitMs: ends - now };
}

/** What all gateways together may grant while some of them may be spending their shares; as `limits.lua` has it. */
export function reducedBy(missing: number, limit: number, gateways: number): number {
  return Math.max(0, limit - missing * Math.floor(limit / gateways));
}

/** One gateway's part of these limits; null where a part of some limit is nothing at all. */
export function shareOf(limits: Limits, gateways: number): Limits | null {
  const part = (limit: number): number => Math.floor(limit / gateways);
  const share = {
    requestsPerMinute: part(limits.requestsPerMinute),
    tokensPerMinute: part(limits.tokensPerMinute),
    concurrency: part(limits.concurrency),
    imageParallel: part(limits.imageParallel),
  };
  const isNone =
    (share.requestsPerMinute === 0 && limits.requestsPerMinute > 0) ||
    (share.tokensPerMinute === 0 && limits.tokensPerMinute > 0) ||
    (share.concurrency === 0 && limits.concurrency > 0) ||
    (share.imageParallel === 0 && limits.imageParallel > 0);
  return isNone ? null : { ...share, budget: limits.budget };
}
