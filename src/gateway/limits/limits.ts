import type { Budget } from "../../types.ts";

/** What one key may do; 0 is no limit. */
export interface Limits {
  /** In any 60 seconds. */
  readonly requestsPerMinute: number;
  /** Tokens of prompts and answers together, in any 60 seconds. */
  readonly tokensPerMinute: number;
  /** Units that may run at once. */
  readonly concurrency: number;
  /** Requests for images that may run at once. */
  readonly imageParallel: number;
  readonly budget: Budget | null;
}

export const UNLIMITED: Limits = {
  requestsPerMinute: 0,
  tokensPerMinute: 0,
  concurrency: 0,
  imageParallel: 0,
  budget: null,
};

/** What a request wants to be admitted with. */
export interface Claim {
  readonly keyId: string;
  readonly limits: Limits;
  /** Most tokens that it may take, prompt and answer together. */
  readonly tokens: number;
  /** Those of them that are the answer's; nothing where it has none, or nobody knows. */
  readonly answer?: number;
  readonly units: number;
  /** Whether it asks for images. */
  readonly image: boolean;
  /** Most that it may cost, in billionths of a US dollar. Null: certain to cost nothing. */
  readonly costNanoUsd: number | null;
  /**
   * What it likely takes, where that may be less. A request whose most has no room, but whose likely has,
   * is admitted with all the room there is; of a key one at a time, so that what goes beyond is one request's.
   */
  readonly likely?: Used;
}

/** What a call took in the end. */
export interface Used {
  readonly tokens: number;
  readonly costNanoUsd: number;
}

/** A place among the running requests of a key, and what was set aside for it. */
export interface Lease {
  /** As they were at its admission. */
  readonly headers: Readonly<Record<string, string>>;
  /** That it takes of its key's concurrency. */
  readonly units: number;
  /** Gives the place back and puts the truth in place of what was set aside; nothing used if left out. The first call counts. */
  release(used?: Used): void;
  /** Called once when the place can't be kept: the call must end now. Never before `admit` has answered. */
  onLost(end: () => void): void;
}

/** What was taken of one minute's limit. */
export interface Taken {
  readonly used: number;
  /** What may be taken now. Less than the limit less `used` where a part of it is kept for other gateways. */
  readonly left: number;
  /** Milliseconds until all of it is free again. */
  readonly resetIn: number;
}

/** A key's limits as they stand. */
export interface Standing {
  readonly requests: Taken;
  readonly tokens: Taken;
  readonly units: number;
  readonly images: number;
  /** Null without a budget. */
  readonly budget: {
    readonly spentNanoUsd: number;
    readonly reservedNanoUsd: number;
    /** Unix milliseconds. */
    readonly resetsAt: number;
  } | null;
}

/** How the limits are kept; shown by `/health/ready` and the metrics. */
export interface LimiterState {
  /**
   * `memory`: this process alone; `shared`: in Redis; `waiting`: nothing is admitted, since it is not
   * known what others did in the last minute; `share`: this gateway's part, without Redis.
   */
  readonly mode: "memory" | "shared" | "waiting" | "share";
  readonly ok: boolean;
  readonly detail: string | null;
  /** Places that are held. */
  readonly leases: number;
  /** Leases that ended because they could not be renewed. */
  readonly lost: number;
}

/** Admits requests so that no key ever gets more than its limits. */
export interface Limiter {
  /** @throws GatewayError 402, 429 with the seconds until trying again can help, 503 */
  admit(claim: Claim): Lease | Promise<Lease>;
  /** What response headers say of a key without a lease, as far as it is known here; nothing where it is not. */
  headers(keyId: string, limits: Limits): Readonly<Record<string, string>>;
  /** Tokens of the key's minute that are left, as far as it is known here; null where it is not, or there is no limit. */
  tokensLeft(keyId: string, limits: Limits): number | null;
  /** @throws GatewayError 503 while nobody can say */
  standing(keyId: string, limits: Limits): Promise<Standing>;
  state(): LimiterState;
  /** From now on nothing is admitted: the server drains. */
  drain(): void;
  /** After the last lease was given back. */
  close(): Promise<void>;
}

/**
 * What a key spent since a moment (Unix milliseconds) according to the call log, in billionths of a US
 * dollar: asked once for a key and a period. Rejects while nobody can say.
 */
export type SpentSoFar = (keyId: string, since: number) => Promise<number>;

export interface Clock {
  /** Milliseconds, never going back. */
  now(): number;
  /** Unix milliseconds. */
  wall(): number;
}

export const CLOCK: Clock = { now: () => performance.now(), wall: () => Date.now() };

export const MINUTE = 60_000;
