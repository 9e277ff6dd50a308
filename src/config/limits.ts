import { z } from "zod";
import { duration } from "../lib/units.ts";

/** `[limits]` and `[plans]`. 0 is no limit everywhere. */

const count = z.int().min(0);
const NANO = 1e9;

export interface BudgetSetting {
  readonly period: "day" | "month";
  readonly nanoUsd: number;
}

/** `"5/day"`, `"99.50/month"` in US dollars; `""` is none. */
const budget = z
  .string()
  .regex(
    /^(?:\d+(?:\.\d{1,9})?\/(?:day|month))?$/,
    'expected dollars such as "5/day" or "100/month"',
  )
  .default("")
  .transform((text): BudgetSetting | null => {
    const [amount = "", period] = text.split("/");
    if (period !== "day" && period !== "month") return null;
    return { period, nanoUsd: Math.round(Number(amount) * NANO) };
  });

const limitsOf = (requestsPerMinute: number, concurrency: number) =>
  z.strictObject({
    requestsPerMinute: count.default(requestsPerMinute),
    /** Of prompts and answers together. */
    tokensPerMinute: count.default(0),
    /** For anonymous callers and the admin key requests, for plans units by the model's size. */
    concurrency: count.default(concurrency),
    /** Requests for images at once. */
    imageParallel: count.default(6),
    budget,
  });

export const limits = z.strictObject({
  /** The plan of keys that name none; "" leaves them unlimited. */
  defaultPlan: z.string().default(""),
  /** The answer's limit for requests that say none, where tokens or money are limited. */
  defaultMaxTokens: z.int().min(1).default(4_096),
  /** Gateways that share one Redis, at most: each one's share without it is a limit divided by this. */
  maxGateways: z.int().min(1).max(1_000).default(4),
  /** How long a gateway without Redis goes on with its share. */
  shareFor: duration.prefault("1h"),
  anonymous: limitsOf(600, 32).prefault({}),
  admin: limitsOf(0, 0)
    .extend({ imageParallel: count.default(0) })
    .prefault({}),
});

export const plan = limitsOf(0, 0).extend({
  /** Ids and patterns with `*` of the models that are on it; none is all. */
  models: z.array(z.string().min(1)).default([]),
});

export const planName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]*$/, "a plan's name is lower-case letters, digits, - and _");
