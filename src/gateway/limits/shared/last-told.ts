import { limitHeaders } from "../headers.ts";
import type { Claim, Clock, Limits } from "../limits.ts";
import type { Answer } from "./messages.ts";

interface Taken {
  readonly used: number;
  /** On the clock of this process. */
  readonly resetAt: number;
}

interface Told {
  readonly requests: Taken;
  readonly tokens: Taken;
}

const NOTHING: Taken = { used: 0, resetAt: Number.NEGATIVE_INFINITY };

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

  headers(keyId: string, limits: Limits): Readonly<Record<string, string>> {
    const told = this.#keys.get(keyId);
    const now = this.#clock.now();
    const left = ({ used, resetAt }: Taken): { used: number; resetIn: number } =>
      resetAt > now ? { used, resetIn: resetAt - now } : { used: 0, resetIn: 0 };
    const requests = left(told?.requests ?? NOTHING);
    const tokens = left(told?.tokens ?? NOTHING);
    return limitHeaders(limits, { requests, tokens }, this.#clock.wall());
  }
}
