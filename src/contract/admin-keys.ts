import { z } from "zod";
import type { Contract } from "./operations.ts";

/** The admin API of keys. What `covey keys` takes on the command line goes through the same schemas. */

/** Line ends and other control characters would make a log or a table say what nobody wrote. */
const PLAIN = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u;
const plain = (most: number) =>
  z.string().max(most).regex(PLAIN, "must be on one line, without control characters");
const named = (most: number) => plain(most).min(1);

/** Counted in billionths, more would not be exact. */
const MOST_USD = 9_000_000;

export const KEY_ENDPOINTS = [
  "chat",
  "completions",
  "embeddings",
  "tokenize",
  "detokenize",
  "upscale",
] as const;

export const KeyBudget = z.strictObject({
  period: z.enum(["day", "month"]).describe("A calendar day or month, in UTC."),
  usd: z.number().min(0).max(MOST_USD).describe("US dollars."),
});

const fields = {
  name: named(100).describe("What people call it."),
  owner: plain(200).describe("Whose it is: a person, a team, a service."),
  role: z.enum(["key", "admin"]).describe("`admin` may do everything, this API included."),
  plan: named(64).nullable().describe("A plan of the config; null is the default one."),
  models: z
    .array(named(256))
    .max(200)
    .nullable()
    .describe("Model ids and aliases, `*` for any text; null is all of them."),
  endpoints: z
    .array(z.enum(KEY_ENDPOINTS))
    .max(KEY_ENDPOINTS.length)
    .nullable()
    .describe("Null is all of them."),
  budget: KeyBudget.nullable().describe("What it may spend; null is what its plan says."),
  tags: z.array(named(64)).max(32),
  payloads: z
    .enum(["off", "sampled", "on"])
    .nullable()
    .describe("Whether what its calls send and get is kept; null is as configured."),
  expires_at: z.iso
    .datetime({ offset: true })
    .nullable()
    .describe("When it stops working; null is never."),
};

const { name, ...others } = fields;

export const KeyCreate = z.strictObject({ name, ...z.object(others).partial().shape });
export type KeyCreate = z.infer<typeof KeyCreate>;

export const KeyUpdate = z.strictObject(fields).partial();
export type KeyUpdate = z.infer<typeof KeyUpdate>;

export const KeyRotate = z.strictObject({
  overlap_seconds: z
    .int()
    .min(0)
    .max(366 * 86_400)
    .describe("How long the old key still works; 0, the default, ends it and its running calls.")
    .optional(),
});
export type KeyRotate = z.infer<typeof KeyRotate>;

const time = z.iso.datetime().nullable();

/** A key as people see it. The key itself is in none of these but the answer that made it. */
export const KeyItem = z.looseObject({
  object: z.literal("key"),
  id: z.string(),
  prefix: z.string().describe("How the key begins, to know it by."),
  ...fields,
  endpoints: z.array(z.string()).nullable(),
  state: z.enum(["active", "disabled", "expired", "revoked"]),
  last_used_at: time.describe("When a call of it last began; null for one that was never used."),
  previous: z
    .looseObject({ prefix: z.string(), works_until: z.iso.datetime() })
    .nullable()
    .describe("The text before the last rotation, while that still works beside the new one."),
  created_at: z.iso.datetime(),
  expires_at: time,
  disabled_at: time,
  revoked_at: time,
});
export type KeyItem = z.infer<typeof KeyItem>;

export const KeyMade = KeyItem.extend({
  key: z.string().describe("The key. It is shown in this answer and never again."),
});
export type KeyMade = z.infer<typeof KeyMade>;

export const KeysQuery = z.strictObject({
  owner: z.string().optional(),
  tag: z.string().optional(),
  state: z.enum(["active", "disabled", "expired", "revoked"]).optional(),
  limit: z.coerce.number().int().min(1).max(1000).describe("Default 100.").optional(),
  after: z.string().describe("The id of the last key of the page before.").optional(),
});
export type KeysQuery = z.infer<typeof KeysQuery>;

export const KeyList = z.looseObject({
  object: z.literal("list"),
  data: z.array(KeyItem),
  has_more: z.boolean(),
});
export type KeyList = z.infer<typeof KeyList>;

const contract = <const C extends Contract>(value: C): C => value;
const ONE = "/admin/v1/keys/{id}";

export const ADMIN_KEYS = {
  list: contract({
    operation: "admin_keys_list",
    method: "GET",
    path: "/admin/v1/keys",
    request: null,
    query: KeysQuery,
    response: KeyList,
    auth: "admin",
    meter: "none",
    summary: "List the keys, newest first.",
  }),
  create: contract({
    operation: "admin_keys_create",
    method: "POST",
    path: "/admin/v1/keys",
    request: KeyCreate,
    response: KeyMade,
    auth: "admin",
    meter: "none",
    summary: "Make a key. The answer is the only place where it is shown.",
  }),
  get: contract({
    operation: "admin_keys_get",
    method: "GET",
    path: ONE,
    request: null,
    response: KeyItem,
    auth: "admin",
    meter: "none",
    summary: "Describe one key, by its id, its prefix or a name that no other key has.",
  }),
  update: contract({
    operation: "admin_keys_update",
    method: "POST",
    path: ONE,
    request: KeyUpdate,
    response: KeyItem,
    auth: "admin",
    meter: "none",
    summary: "Change what is sent, and leave the rest as it is.",
  }),
  rotate: contract({
    operation: "admin_keys_rotate",
    method: "POST",
    path: `${ONE}/rotate`,
    request: KeyRotate,
    response: KeyMade,
    auth: "admin",
    meter: "none",
    summary: "Give a key a new text; id, limits and log stay.",
  }),
  disable: contract({
    operation: "admin_keys_disable",
    method: "POST",
    path: `${ONE}/disable`,
    request: null,
    response: KeyItem,
    auth: "admin",
    meter: "none",
    summary: "Stop a key, and its running calls, until it is enabled again.",
  }),
  enable: contract({
    operation: "admin_keys_enable",
    method: "POST",
    path: `${ONE}/enable`,
    request: null,
    response: KeyItem,
    auth: "admin",
    meter: "none",
    summary: "Let a disabled key work again.",
  }),
  revoke: contract({
    operation: "admin_keys_revoke",
    method: "POST",
    path: `${ONE}/revoke`,
    request: null,
    response: KeyItem,
    auth: "admin",
    meter: "none",
    summary: "End a key and its running calls for good.",
  }),
};
