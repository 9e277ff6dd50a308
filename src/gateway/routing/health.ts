import {
  type Breaker,
  type BreakerRules,
  breakerState,
  CLOSED,
  onAsked,
  onBegun,
  onFailure,
  onNothing,
  onSuccess,
} from "./breaker.ts";
import type { Verdict } from "./verdict.ts";

/** What was learned of a target from the calls that it answered. Milliseconds; null before the first. */
export interface HealthView {
  readonly breaker: "closed" | "half-open" | "open";
  /** When an open breaker lets a call through again, on the `performance.now()` clock; 0 for a closed one. */
  readonly opensAt: number;
  /** Until then it has asked not to be asked; 0 when it has not. */
  readonly restsUntil: number;
  /** Until then it is asked after all others: it said that it does not have the model. */
  readonly lacksUntil: number;
  /** From a call's being sent to its first token, averaged over the last calls. */
  readonly firstTokenMs: number | null;
  /** The whole time, of answers that came in one piece. */
  readonly answerMs: number | null;
  readonly tokensPerSecond: number | null;
  /** When the averages were last moved. */
  readonly measuredAt: number;
  /** Calls that it is answering. */
  readonly running: number;
}

interface TargetHealth {
  breaker: Breaker;
  restsUntil: number;
  lacksUntil: number;
  firstTokenMs: number | null;
  answerMs: number | null;
  tokensPerSecond: number | null;
  measuredAt: number;
  running: number;
}

/** What has become of a target: its breaker, or that it asked for a pause. Times in milliseconds. */
export type Turn =
  | { readonly state: "closed" }
  | { readonly state: "rests"; readonly forMs: number }
  | { readonly state: "open"; readonly failures: number; readonly forMs: number };

export interface Measured {
  /** Milliseconds; null where the answer came in one piece. */
  readonly firstTokenMs: number | null;
  /** Milliseconds from the first token, or the start, to the end. */
  readonly writingMs: number;
  readonly completionTokens: number;
}

/** Weight of the newest measurement in the averages. */
const NEWEST = 0.3;
/** How long a target's word counts that it does not have the model; its list says more by then. */
const LACKS_MS = 300_000;
/** Answers with fewer tokens say little about how fast a target writes. */
const FEWEST_TOKENS = 8;

const UNKNOWN: HealthView = {
  breaker: "closed",
  opensAt: 0,
  restsUntil: 0,
  lacksUntil: 0,
  firstTokenMs: null,
  answerMs: null,
  tokensPerSecond: null,
  measuredAt: 0,
  running: 0,
};

/** What is known of every target that was asked so far. */
export class Health {
  readonly #rules: () => BreakerRules;
  readonly #turned: (targetId: string, turn: Turn) => void;
  readonly #targets = new Map<string, TargetHealth>();
  readonly #turns = new Map<string, number>();

  /** `turned` is told of each breaker that opens or closes, and of each target that asks for a pause. */
  constructor(
    rules: BreakerRules | (() => BreakerRules),
    turned: (targetId: string, turn: Turn) => void = () => undefined,
  ) {
    this.#rules = typeof rules === "function" ? rules : () => rules;
    this.#turned = turned;
  }

  /** How many targets of each provider nobody may ask now: those that failed, and those that asked for it. */
  left(now: number): Map<string, { failed: number; resting: number }> {
    const left = new Map<string, { failed: number; resting: number }>();
    for (const [id, { breaker, restsUntil }] of this.#targets) {
      const failed = breaker.until !== 0;
      if (!failed && restsUntil <= now) continue;
      const provider = id.slice(0, id.indexOf("/"));
      const counts = left.get(provider) ?? { failed: 0, resting: 0 };
      if (failed) counts.failed += 1;
      else counts.resting += 1;
      left.set(provider, counts);
    }
    return left;
  }

  of(targetId: string, now: number): HealthView {
    const health = this.#targets.get(targetId);
    if (health === undefined) return UNKNOWN;
    // Written out: copying the fields by a spread cost as much as the rest of choosing.
    return {
      breaker: breakerState(health.breaker, now),
      opensAt: health.breaker.until,
      restsUntil: health.restsUntil,
      lacksUntil: health.lacksUntil,
      firstTokenMs: health.firstTokenMs,
      answerMs: health.answerMs,
      tokensPerSecond: health.tokensPerSecond,
      measuredAt: health.measuredAt,
      running: health.running,
    };
  }

  /** Every target that was asked so far. */
  *all(now: number): Generator<readonly [targetId: string, health: HealthView]> {
    for (const id of this.#targets.keys()) yield [id, this.of(id, now)];
  }

  /** Forgets what was learned of a provider's targets: it is another one now. Running calls go on. */
  forget(provider: string): void {
    for (const [id, { running }] of this.#targets) {
      if (!id.startsWith(`${provider}/`)) continue;
      if (running === 0) this.#targets.delete(id);
      else this.#targets.set(id, { ...fresh(), running });
    }
  }

  /** Counts a model's calls: whose turn it is. */
  turn(modelId: string): number {
    const turn = this.#turns.get(modelId) ?? 0;
    this.#turns.set(modelId, turn + 1);
    return turn;
  }

  /** Returns whether the call is the probe of a breaker that was open. */
  asked(targetId: string, now: number): boolean {
    const health = this.#get(targetId);
    const before = health.breaker;
    health.running += 1;
    health.breaker = onAsked(before, now);
    return health.breaker !== before;
  }

  /** Its answer has begun to come, and may take long. */
  began(targetId: string, isProbe: boolean): void {
    const health = this.#get(targetId);
    health.breaker = onBegun(health.breaker, isProbe);
  }

  /** A call that was asked of it has ended; `measured` counts when it was answered. */
  ended(
    targetId: string,
    verdict: Verdict,
    measured: Measured,
    now: number,
    wasProbe: boolean,
  ): void {
    const health = this.#get(targetId);
    const { breaker: before, restsUntil } = health;
    health.running -= 1;
    // An answer does not end a rest: it was on its way when that was asked for.
    if (verdict === "answered") measure(health, measured, now);
    if (verdict === "missing") health.lacksUntil = now + LACKS_MS;
    else if (verdict === "answered") health.lacksUntil = 0;
    if (verdict === "answered" || verdict === "refused" || verdict === "missing")
      health.breaker = onSuccess();
    else if (verdict === "failed") {
      health.breaker = onFailure(health.breaker, this.#rules(), now, wasProbe);
    } else health.breaker = onNothing(health.breaker, wasProbe);
    if (typeof verdict === "object") {
      health.restsUntil = Math.max(health.restsUntil, now + verdict.restMs);
      if (restsUntil <= now) this.#turned(targetId, { state: "rests", forMs: verdict.restMs });
    }
    if (before.until !== health.breaker.until) this.#turn(targetId, health.breaker, now);
  }

  #turn(targetId: string, { until, failures }: Breaker, now: number): void {
    this.#turned(
      targetId,
      until === 0 ? { state: "closed" } : { state: "open", failures, forMs: until - now },
    );
  }

  #get(targetId: string): TargetHealth {
    let health = this.#targets.get(targetId);
    if (health === undefined) {
      health = fresh();
      this.#targets.set(targetId, health);
    }
    return health;
  }
}

function fresh(): TargetHealth {
  return {
    breaker: CLOSED,
    restsUntil: 0,
    lacksUntil: 0,
    firstTokenMs: null,
    answerMs: null,
    tokensPerSecond: null,
    measuredAt: 0,
    running: 0,
  };
}

function measure(health: TargetHealth, measured: Measured, now: number): void {
  const { firstTokenMs, writingMs, completionTokens } = measured;
  health.measuredAt = now;
  if (firstTokenMs !== null) health.firstTokenMs = average(health.firstTokenMs, firstTokenMs);
  else health.answerMs = average(health.answerMs, writingMs);
  if (completionTokens >= FEWEST_TOKENS && writingMs > 0) {
    const speed = (completionTokens / writingMs) * 1000;
    health.tokensPerSecond = average(health.tokensPerSecond, speed);
  }
}

function average(before: number | null, newest: number): number {
  return before === null ? newest : before + NEWEST * (newest - before);
}
