import { z } from "zod";
import type { Budget } from "../../../types.ts";
import { takenOf } from "../headers.ts";
import type { Claim, Limits, Standing, Used } from "../limits.ts";
import { periodOf } from "../period.ts";
import { likelyOf } from "../room.ts";

/** What is said to `limits.lua` and what it answers, in its own short names. */

/** What a lease holds: units, images, and at most so many billionths of a dollar of a budget's period that ends at `x`. */
export interface Hold {
  readonly u: number;
  readonly i: number;
  readonly n: number;
  readonly b?: string;
  readonly x?: number;
}

export interface LeaseMessage {
  readonly k: string;
  readonly id: string;
  readonly h: Hold;
}

export interface SettledMessage {
  readonly k: string;
  readonly id: string;
  /** Tokens, and billionths of a dollar. */
  readonly t: number;
  readonly n: number;
  readonly h?: Hold;
  /** Periods in which it counts, for a budget that its key had at another time. */
  readonly p?: readonly string[];
  /** It was said before to this run of Redis, which may have done it. */
  readonly again?: string;
  /** It is not known whether it was granted; if not, it must not be from here on. */
  readonly void?: boolean;
}

export interface GrantMessage {
  readonly k: string;
  readonly id: string;
  /** Milliseconds since it was granted. */
  readonly age: number;
  readonly t: number;
}

export interface SpendMessage {
  readonly k: string;
  readonly b: string;
  readonly n: number;
}

export interface ClaimMessage {
  readonly k: string;
  readonly id: string;
  readonly rl: number;
  readonly tl: number;
  readonly cl: number;
  readonly il: number;
  readonly bl: number;
  /** Tokens at most and likely, and billionths of a dollar likely. */
  readonly t: number;
  readonly tk: number;
  readonly nk: number;
  readonly h?: Hold;
  /** What the budget's period begins with. */
  readonly start?: number;
}

export interface Message {
  readonly op: "join" | "beat" | "admit" | "leave";
  readonly fresh?: boolean;
  readonly grants?: readonly GrantMessage[];
  readonly spends?: readonly SpendMessage[];
  readonly leases?: readonly LeaseMessage[];
  readonly settled?: readonly SettledMessage[];
  readonly claims?: readonly ClaimMessage[];
  readonly look?: { readonly k: string; readonly b?: string };
}

const windows = { r: z.number(), rr: z.number(), t: z.number(), tr: z.number() };

const Answer = z.union([
  z.object({ no: z.literal(["requests", "tokens"]), w: z.number(), ...windows }),
  z.object({ no: z.literal("closed"), w: z.number() }),
  z.object({ no: z.literal("budget"), l: z.number(), ...windows }),
  z.object({ no: z.literal(["units", "images"]), ...windows }),
  z.object({ no: z.literal(["unread", "void"]) }),
  z.object({ no: z.undefined().optional(), ...windows }),
]);
export type Answer = z.infer<typeof Answer>;

const Look = z.object({
  ...windows,
  u: z.number(),
  i: z.number(),
  s: z.number().optional(),
  v: z.number().optional(),
});
export type Look = z.infer<typeof Look>;

export const Reply = z.union([
  z.object({ late: z.literal(true), now: z.string() }),
  z.object({
    late: z.undefined().optional(),
    now: z.string(),
    /** Milliseconds in which nothing is admitted, since it is not known what was granted before. */
    closed: z.number(),
    member: z.boolean(),
    missing: z.number(),
    answers: z.array(Answer).optional(),
    look: Look.optional(),
  }),
]);
export type Reply = z.infer<typeof Reply>;

/** The period of a budget by the name that it has in Redis. @param wall Unix milliseconds */
export function budgetPeriod(
  budget: Budget,
  wall: number,
): { readonly b: string; readonly x: number } {
  const { start, end } = periodOf(budget.period, wall);
  return { b: `${budget.period}:${start}`, x: end };
}

/** Undefined where nothing is held while it runs. */
export function holdOf(
  { limits, units, image, costNanoUsd }: Claim,
  wall: number,
): Hold | undefined {
  const held = { u: units, i: image ? 1 : 0, n: costNanoUsd ?? 0 };
  if (limits.budget !== null && costNanoUsd !== null)
    return { ...held, ...budgetPeriod(limits.budget, wall) };
  return limits.concurrency > 0 || limits.imageParallel > 0 ? held : undefined;
}

export function claimMessage(claim: Claim, id: string, hold: Hold | undefined): ClaimMessage {
  const { keyId, limits, tokens } = claim;
  const likely = likelyOf(claim);
  return {
    k: keyId,
    id,
    rl: limits.requestsPerMinute,
    tl: limits.tokensPerMinute,
    cl: limits.concurrency,
    il: limits.imageParallel,
    bl: limits.budget?.nanoUsd ?? 0,
    t: tokens,
    tk: likely.tokens,
    nk: likely.costNanoUsd,
    ...(hold === undefined ? {} : { h: hold }),
  };
}

/** What a call took, at its end. @param wall when it was admitted, in Unix milliseconds */
export function settledMessage(
  keyId: string,
  id: string,
  used: Used,
  hold: Hold | undefined,
  wall: number,
): SettledMessage {
  const message = { k: keyId, id, t: used.tokens, n: used.costNanoUsd };
  const held = hold === undefined ? message : { ...message, h: hold };
  return used.costNanoUsd === 0 ? held : { ...held, p: periodNames(wall) };
}

function periodNames(wall: number): string[] {
  return (["day", "month"] as const).map((period) => `${period}:${periodOf(period, wall).start}`);
}

/** @param reduced what of a limit all gateways together may grant now */
export function standingFrom(
  look: Look,
  limits: Limits,
  reduced: (limit: number) => number,
  wall: number,
): Standing {
  const { requestsPerMinute, tokensPerMinute, budget } = limits;
  return {
    requests: takenOf(reduced(requestsPerMinute), look.r, look.rr),
    tokens: takenOf(reduced(tokensPerMinute), look.t, look.tr),
    units: look.u,
    images: look.i,
    budget:
      budget === null || look.s === undefined
        ? null
        : {
            spentNanoUsd: look.s,
            reservedNanoUsd: look.v ?? 0,
            resetsAt: periodOf(budget.period, wall).end,
          },
  };
}
