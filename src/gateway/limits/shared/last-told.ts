import type { Claim, Clock, Limits } from "../limits.ts";
import type { Answer } from "./messages.ts";

interface Moment {
  readonly used: number;
  /** On the clock of this process. */
  readonly resetAt: number;
}

interface Told {
  readonly requests: Moment;
  readonly tokens: Moment;
}

/** Of one limit. Milliseconds from now. */
interface Used {
  readonly used: number;
  readonly resetIn: number;
}

const NOTHING: Moment = { used: 0, resetAt: Number.NEGATIVE_INFINITY };

/** What Redis last said of each key: for headers, and so that a flood of refused requests asks nobody. */
export class LastTold {
  readonly #clock: Clock;
  readonly #keys = new Map<string, Told>();
  readonly #full = new Map<string, { readonly until: number; readonly limit: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  learn({ keyId, limits }: Claim, answer: Answer): void {
    if (!("r" in answer)) return;
    const now = this.#clock.now();
    const { r, rr, t, tr } = answer;
    this.#keys.set(keyId, {
      requests: { used: r, resetAt: now + rr },
      tokens: { used: t, resetAt: now + tr },
    });
    if (answer.no === "requests")
      this.#full.set(keyId, { until: now + answer.w, limit: limits.requestsPerMinute });
  }

  /** Milliseconds in which no request of the key is granted: a grant, unlike tokens, is never given back. */
  fullFor(keyId: string, { requestsPerMinute }: Limits): number {
    const full = this.#full.get(keyId);
    if (full === undefined) return 0;
    const waitMs = full.until - this.#clock.now();
    if (waitMs > 0 && full.limit === requestsPerMinute) return waitMs;
    this.#full.delete(keyId);
    return 0;
  }

  /** What the key has used, as far as it is known here. */
  used(keyId: string): { readonly requests: Used; readonly tokens: Used } {
    const told = this.#keys.get(keyId);
    const now = this.#clock.now();
    const still = ({ used, resetAt }: Moment): Used =>
      resetAt > now ? { used, resetIn: resetAt - now } : { used: 0, resetIn: 0 };
    return { requests: still(told?.requests ?? NOTHING), tokens: still(told?.tokens ?? NOTHING) };
  }
}
