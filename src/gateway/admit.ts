import { GatewayError } from "../contract/errors.ts";
import { SlidingWindow } from "../lib/sliding-window.ts";
import type { Caller } from "../types.ts";

/** What one key may do; 0 is no limit. */
export interface Limits {
  readonly requestsPerMinute: number;
  readonly concurrency: number;
}

/** A place among the running requests of a key. `release` gives it back; calling it again does nothing. */
export interface Lease {
  readonly headers: Readonly<Record<string, string>>;
  release(): void;
}

interface KeyState {
  readonly limits: Limits;
  readonly window: SlidingWindow | null;
  running: number;
}

const MINUTE = 60_000;

/** Limits held in this process's memory: exact sliding minutes and running requests, per key. */
export class Admission {
  readonly #limitsOf: (caller: Caller) => Limits;
  readonly #keys = new Map<string, KeyState>();
  #closed = false;

  constructor(limitsOf: (caller: Caller) => Limits) {
    this.#limitsOf = limitsOf;
  }

  /**
   * @param now milliseconds on a clock that never goes back
   * @param wallNow Unix milliseconds, for the reset time in the headers
   * @throws GatewayError 429 with the seconds until the next place; 503 once closed
   */
  admit(caller: Caller, now: number, wallNow: number): Lease {
    if (this.#closed) {
      throw new GatewayError("unavailable", "The server is shutting down.", { retryAfter: 5 });
    }
    const state = this.#state(caller);
    const { limits, window } = state;
    if (limits.concurrency > 0 && state.running >= limits.concurrency) {
      throw new GatewayError(
        "concurrency_limit_exceeded",
        `${limits.concurrency} requests of this key are running, which is its limit. Wait for one to end.`,
        { retryAfter: 1 },
      );
    }
    const wait = window === null ? 0 : window.take(now);
    if (window !== null && wait > 0) {
      throw new GatewayError(
        "rate_limit_exceeded",
        `This key may send ${limits.requestsPerMinute} requests a minute. Try again in ${Math.ceil(wait / 1000)} s.`,
        { retryAfter: wait / 1000 },
      );
    }
    state.running += 1;
    let held = true;
    return {
      headers: window === null ? {} : windowHeaders(window, now, wallNow),
      release: () => {
        if (held) state.running -= 1;
        held = false;
      },
    };
  }

  /** From now on nothing is admitted: the server drains. */
  close(): void {
    this.#closed = true;
  }

  limitsOf(caller: Caller): Limits {
    return this.#limitsOf(caller);
  }

  /** The same headers for an answer that holds no lease, such as a 429. */
  headers(caller: Caller, now: number, wallNow: number): Readonly<Record<string, string>> {
    const { window } = this.#state(caller);
    return window === null ? {} : windowHeaders(window, now, wallNow);
  }

  #state(caller: Caller): KeyState {
    const known = this.#keys.get(caller.keyId);
    if (known !== undefined) return known;
    const limits = this.#limitsOf(caller);
    const window =
      limits.requestsPerMinute > 0 ? new SlidingWindow(limits.requestsPerMinute, MINUTE) : null;
    const state = { limits, window, running: 0 };
    this.#keys.set(caller.keyId, state);
    return state;
  }
}

function windowHeaders(window: SlidingWindow, now: number, wallNow: number) {
  const limit = String(window.limit);
  const remaining = String(window.remaining(now));
  return {
    "x-ratelimit-limit": limit,
    "x-ratelimit-remaining": remaining,
    "x-ratelimit-limit-requests": limit,
    "x-ratelimit-remaining-requests": remaining,
    "x-ratelimit-reset-requests": new Date(wallNow + window.resetIn(now)).toISOString(),
  };
}
