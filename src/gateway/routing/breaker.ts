/**
 * A circuit breaker for one target, as a value: it opens after so many failures in a row, lets one
 * call through after a while (half-open), and closes when that one succeeds. Pure; times are on the
 * `performance.now()` clock.
 */
export interface Breaker {
  /** Failures since the last success. */
  readonly failures: number;
  /** How often in a row it has opened without a success between. */
  readonly opened: number;
  /** Open until then; 0 while it is closed. */
  readonly until: number;
  /** Whether the one call that may try an open one is on its way. */
  readonly probing: boolean;
}

export interface BreakerRules {
  /** Failures in a row that open it; 0 is never. */
  readonly failures: number;
  /** How long it stays open at first; each time it opens again without a success, twice as long. */
  readonly cooldownMs: number;
}

export const CLOSED: Breaker = { failures: 0, opened: 0, until: 0, probing: false };

/** Longest time an open one is left alone: ten cooldowns. */
const MAX_DOUBLINGS = Math.log2(10);

/** `closed`: ask it; `half-open`: one call may; `open`: nobody may. */
export function breakerState(breaker: Breaker, now: number): "closed" | "half-open" | "open" {
  if (breaker.until === 0) return "closed";
  return now >= breaker.until && !breaker.probing ? "half-open" : "open";
}

/** A call is sent to it; when that is the probe of a half-open one, no other may follow. */
export function onAsked(breaker: Breaker, now: number): Breaker {
  return breakerState(breaker, now) === "half-open" ? { ...breaker, probing: true } : breaker;
}

/** The probe has begun to answer: others may follow before it has ended. One failure more opens it again. */
export function onBegun(breaker: Breaker, wasProbe: boolean): Breaker {
  return wasProbe && breaker.probing ? { ...breaker, until: 0, probing: false } : breaker;
}

export function onSuccess(): Breaker {
  return CLOSED;
}

/** `wasProbe`: of the call that failed; those that were sent before it opened don't end its probe. */
export function onFailure(
  breaker: Breaker,
  rules: BreakerRules,
  now: number,
  wasProbe: boolean,
): Breaker {
  const failures = breaker.failures + 1;
  const probe = wasProbe && breaker.probing;
  if (rules.failures === 0 || (!probe && failures < rules.failures)) {
    return { ...breaker, failures };
  }
  // Calls that were on their way when it opened fail too, and say nothing new.
  if (!probe && breaker.until !== 0) return { ...breaker, failures };
  const pause = rules.cooldownMs * 2 ** Math.min(breaker.opened, MAX_DOUBLINGS);
  return { failures, opened: breaker.opened + 1, until: now + pause, probing: false };
}

/** The call ended without telling anything of the target, such as when its client left. */
export function onNothing(breaker: Breaker, wasProbe: boolean): Breaker {
  return wasProbe && breaker.probing ? { ...breaker, probing: false } : breaker;
}
