import { z } from "zod";
import type { Key } from "../../types.ts";

/** PostgreSQL gives BIGINT as text. */
const Int = z.coerce.number();
const IntOrNull = z.coerce.number().nullable();

const Hash = z.string().regex(/^[0-9a-f]{64}$/);
const Names = z.string().transform((text) => z.array(z.string()).parse(JSON.parse(text)));

/** One row of the table `keys`. */
const KeyRow = z.object({
  id: z.string(),
  prefix: z.string(),
  hash: Hash,
  previous_prefix: z.string().nullable(),
  previous_hash: Hash.nullable(),
  previous_until: IntOrNull,
  secret_mark: z.string(),
  name: z.string(),
  owner: z.string(),
  role: z.enum(["key", "admin"]),
  plan: z.string().nullable(),
  models: Names.nullable(),
  endpoints: Names.nullable(),
  budget_period: z.enum(["day", "month"]).nullable(),
  budget_nano_usd: IntOrNull,
  tags: Names,
  payloads: z.enum(["off", "sampled", "on"]).nullable(),
  created_at: Int,
  expires_at: IntOrNull,
  disabled_at: IntOrNull,
  revoked_at: IntOrNull,
  version: Int,
});
type KeyRow = z.infer<typeof KeyRow>;
const KeyRows = z.array(KeyRow);

export const KEY_COLUMNS = Object.keys(KeyRow.shape).join(", ");

/** A text that opens a key: its prefix, and the hash of the whole. */
export interface Credential {
  readonly prefix: string;
  readonly hash: Buffer;
}

/** A key as the store has it. */
export interface StoredKey {
  readonly key: Key;
  readonly hash: Buffer;
  /** What opened it before, until when it does (Unix milliseconds). */
  readonly previous: (Credential & { readonly until: number }) | null;
  readonly secretMark: string;
  readonly version: number;
}

/** @throws ZodError for rows that are none of ours */
export function storedKeys(rows: unknown): StoredKey[] {
  return KeyRows.parse(rows).map(storedKey);
}

function storedKey(row: KeyRow): StoredKey {
  const { previous_prefix: prefix, previous_hash: hash, previous_until: until } = row;
  return {
    key: {
      id: row.id,
      prefix: row.prefix,
      name: row.name,
      owner: row.owner,
      role: row.role,
      plan: row.plan,
      models: row.models,
      endpoints: row.endpoints,
      budget:
        row.budget_period === null || row.budget_nano_usd === null
          ? null
          : { period: row.budget_period, nanoUsd: row.budget_nano_usd },
      tags: row.tags,
      payloads: row.payloads,
      createdAt: row.created_at,
      expiresAt: row.expires_at,
      disabledAt: row.disabled_at,
      revokedAt: row.revoked_at,
    },
    hash: Buffer.from(row.hash, "hex"),
    previous:
      prefix === null || hash === null || until === null
        ? null
        : { prefix, hash: Buffer.from(hash, "hex"), until },
    secretMark: row.secret_mark,
    version: row.version,
  };
}
