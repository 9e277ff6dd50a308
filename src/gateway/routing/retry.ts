import type { ErrorName, Fault, GatewayError } from "../../contract/errors.ts";
import type { Target } from "../../types.ts";

export interface RetryRules {
  /** Most attempts of one call, the first one included. */
  readonly attempts: number;
  /** Milliseconds after the first attempt's start in which another may begin. */
  readonly budgetMs: number;
  /** Longest single wait before another attempt, in milliseconds. */
  readonly maxWaitMs: number;
}

/** What a call knows of a target that failed it. */
export interface Tried {
  readonly times: number;
  /** When it may be asked again, on the `performance.now()` clock; infinite when it may not. */
  readonly notBefore: number;
}

const BACKOFF_MS = 250;

/** What one call remembers of its attempts, over all its models. */
export interface Retries {
  readonly tried: Map<string, Tried>;
  /** Attempts made since the answer last made progress. */
  made: number;
  /** Until then another may begin, on the `performance.now()` clock. */
  deadline: number;
}

/** What a failure means where it does not say so itself. */
const FAULTS: Readonly<Partial<Record<ErrorName, Fault>>> = {
  invalid_request: "request",
  context_length_exceeded: "context",
  content_filter: "request",
  model_not_found: "request",
  body_too_large: "request",
  upstream_timeout: "silent",
  model_loading: "busy",
  model_too_big: "unsupported",
  overloaded: "busy",
  unavailable: "busy",
};

export function faultOf(error: GatewayError): Fault {
  return error.fault ?? FAULTS[error.kind] ?? "broken";
}

/**
 * What is remembered of a target after its failure. Waits grow twofold with each failure. They vary by
 * half, and those that were told by a little more, so that calls that failed together don't come back
 * together. `random` is 0 to 1. Pure.
 */
export function afterFailure(
  before: Tried | undefined,
  error: GatewayError,
  now: number,
  random: number,
): Tried {
  const times = (before?.times ?? 0) + 1;
  switch (faultOf(error)) {
    case "key":
      return { times, notBefore: now };
    case "busy":
    case "broken": {
      const backoff = BACKOFF_MS * 2 ** (times - 1) * (0.5 + random / 2);
      const told =
        error.retryAfter === undefined ? 0 : error.retryAfter * 1000 + random * BACKOFF_MS;
      return { times, notBefore: now + Math.max(backoff, told) };
    }
    case "request":
    case "context":
    case "silent":
    case "failed":
    case "unsupported":
      return { times, notBefore: Number.POSITIVE_INFINITY };
  }
}

/** How much a failure tells a caller whose targets all failed: more than "this one can't", and than our own keys' troubles. */
const TELLS: Readonly<Record<Fault, number>> = {
  unsupported: 0,
  key: 1,
  context: 2,
  silent: 2,
  broken: 2,
  failed: 2,
  busy: 2,
  request: 3,
};

/** Which of two failures the caller is told: the one that says more, else the later one. Pure. */
export function moreTelling(before: GatewayError | null, error: GatewayError): GatewayError {
  if (before === null) return error;
  return TELLS[faultOf(error)] >= TELLS[faultOf(before)] ? error : before;
}

/**
 * Whom to ask next, and after how many milliseconds; null when nobody may be asked within the rules.
 * Targets that were not asked yet come first, in their order; then the one that may be asked
 * soonest. `restsUntil`: until when a target has asked to be left alone, whoever was told so. Pure.
 */
export function nextTarget(
  targets: readonly Target[],
  tried: ReadonlyMap<string, Tried>,
  now: number,
  deadline: number,
  maxWaitMs: number,
  restsUntil: (targetId: string) => number = () => 0,
): { readonly target: Target; readonly waitMs: number } | null {
  let best: Target | null = null;
  let soonest = Number.POSITIVE_INFINITY;
  for (const target of targets) {
    const before = tried.get(target.id);
    const rests = restsUntil(target.id);
    if (before === undefined && rests <= now) return { target, waitMs: 0 };
    const notBefore = Math.max(before?.notBefore ?? 0, rests);
    if (notBefore < soonest) {
      best = target;
      soonest = notBefore;
    }
  }
  const waitMs = Math.max(0, soonest - now);
  // What waits vary by is no part of what was told.
  if (best === null || waitMs > maxWaitMs + BACKOFF_MS || now + waitMs > deadline) return null;
  return { target: best, waitMs };
}
