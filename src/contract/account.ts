import { z } from "zod";
import type { Contract } from "./operations.ts";

/** What a key may do, and what of that it is doing. */

/** As Featherless has it. `limit`: units that may run at once, null is no limit. */
export const AccountConcurrency = z.looseObject({
  limit: z.int().min(0).nullable(),
  /** Units that run, at all gateways. */
  used_cost: z.int().min(0),
  /** Of this gateway. */
  request_count: z.int().min(0),
  requests: z.array(
    z.looseObject({
      id: z.string(),
      model: z.string(),
      cost: z.int().min(0),
      started_at: z.iso.datetime(),
      duration_ms: z.int().min(0),
    }),
  ),
});
export type AccountConcurrency = z.infer<typeof AccountConcurrency>;

const minute = z.looseObject({
  /** In any 60 seconds; null is no limit. */
  limit: z.int().min(0).nullable(),
  remaining: z.int().min(0).nullable(),
});

/** The caller's plan, and how much of it is left now. */
export const AccountPlan = z.looseObject({
  object: z.literal("plan"),
  name: z.string(),
  /** Ids and patterns of the models that are on it; null is all. */
  models: z.array(z.string()).nullable(),
  requests_per_minute: minute,
  tokens_per_minute: minute,
  concurrency: z.looseObject({ limit: z.int().min(0).nullable(), used: z.int().min(0) }),
  image_parallel: z.looseObject({ limit: z.int().min(0).nullable(), used: z.int().min(0) }),
  budget: z
    .looseObject({
      period: z.enum(["day", "month"]),
      limit_usd: z.number(),
      spent_usd: z.number(),
      /** Set aside for calls that run. */
      reserved_usd: z.number(),
      resets_at: z.iso.datetime(),
    })
    .nullable(),
});
export type AccountPlan = z.infer<typeof AccountPlan>;

const contract = <const C extends Contract>(value: C): C => value;

export const ACCOUNT = {
  concurrency: contract({
    operation: "account_concurrency",
    method: "GET",
    path: "/account/concurrency",
    aliases: ["/v1/account/concurrency"],
    request: null,
    response: AccountConcurrency,
    auth: "caller",
    meter: "none",
    summary: "Say which of the key's requests run, and how many units they take.",
  }),
  plan: contract({
    operation: "plan",
    method: "GET",
    path: "/v1/plan",
    request: null,
    response: AccountPlan,
    auth: "caller",
    meter: "none",
    summary: "Describe the key's plan, and what of it is left.",
  }),
};
