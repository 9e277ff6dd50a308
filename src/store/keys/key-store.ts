import { randomBytes } from "node:crypto";
import { z } from "zod";
import { GatewayError } from "../../contract/errors.ts";
import { timeOrderedId } from "../../lib/id.ts";
import { makeKeyText } from "../../lib/key-text.ts";
import type { KeySettings, KeyStore, KnownKey, NewKey } from "../../types.ts";
import { KEY_COLUMNS, type StoredKey, storedKeys } from "./key-row.ts";
import type { ServerSecret } from "./secret.ts";

type Value = string | number | null;

/** One statement, and its rows. */
export type Run = (text: string, values: Value[]) => Promise<unknown>;

export interface KeyStoreParts {
  readonly read: Run;
  readonly write: Run;
  readonly secret: ServerSecret;
  /** Told of every key that was changed here, before whoever changed it is. */
  readonly onChange?: (keys: readonly StoredKey[]) => void;
  readonly now?: () => number;
}

const Uses = z.array(z.object({ key_id: z.string(), last_used_at: z.coerce.number() }));

/** The next version, in the statement that writes it: see the table's own comment. */
const NEXT = "(SELECT COALESCE(MAX(version), 0) + 1 FROM keys)";
/** A key as lists show it, or the whole of one. */
const SHOWN_PREFIX = /^sk-covey-([0-9A-Za-z]{8})(?:-.*)?$/;
/** Another process may take the same version first. */
const ATTEMPTS = 8;

/**
 * Keys in the database. Each change is one statement, so that it needs no transaction around it. SQLite
 * numbers parameters as it meets them, so that `$1`, `$2`, … stand in this order in every text.
 */
export function keyStore(parts: KeyStoreParts): KeyStore {
  const { read, secret, onChange = () => undefined, now = Date.now } = parts;

  const write = async (text: string, values: Value[]): Promise<StoredKey | null> => {
    const keys = storedKeys(await patiently(() => parts.write(text, values)));
    onChange(keys);
    return keys[0] ?? null;
  };

  /** Those of one key, or of all. */
  const uses = async (id: string | null): Promise<ReadonlyMap<string, number>> => {
    const text = "SELECT key_id, last_used_at FROM key_uses";
    const rows = answered(id === null ? read(text, []) : read(`${text} WHERE key_id = $1`, [id]));
    return new Map(Uses.parse(await rows).map((row) => [row.key_id, row.last_used_at]));
  };

  const lastUse = async (id: string): Promise<number | null> => (await uses(id)).get(id) ?? null;

  const byWhich = async (named: string): Promise<StoredKey> => {
    const which = SHOWN_PREFIX.exec(named)?.[1] ?? named;
    const text = `SELECT ${KEY_COLUMNS} FROM keys
      WHERE id = $1 OR prefix = $1 OR name = $1 ORDER BY version LIMIT 100`;
    const found = storedKeys(await answered(read(text, [which])));
    const exact = found.find(({ key: { id, prefix } }) => id === which || prefix === which);
    if (exact !== undefined) return exact;
    const usable = found.filter(({ key }) => key.revokedAt === null);
    const [only = found[0], other] = usable;
    if (only === undefined || (usable.length === 0 && found.length > 1)) {
      throw new GatewayError("not_found", `There is no key '${which.slice(0, 64)}'.`);
    }
    if (other === undefined) return only;
    throw new GatewayError(
      "invalid_request",
      `${usable.length} keys are named '${which.slice(0, 64)}': say which by its id or prefix.`,
    );
  };

  /** Sets columns of one key; `set` holds our own column names only. */
  const change = async (which: string, set: Readonly<Record<string, Value>>): Promise<KnownKey> => {
    const { id } = (await byWhich(which)).key;
    const lastUsedAt = await lastUse(id);
    const names = Object.keys(set);
    const assignments = names.map((name, place) => `${name} = $${place + 1}`);
    const text = `UPDATE keys SET ${[...assignments, `version = ${NEXT}`].join(", ")}
      WHERE id = $${names.length + 1} AND revoked_at IS NULL RETURNING ${KEY_COLUMNS}`;
    const stored = await write(text, [...Object.values(set), id]);
    return stored === null ? revoked(which) : known(stored, lastUsedAt);
  };

  return {
    async create(settings) {
      const at = now();
      const { text, prefix } = makeKeyText(randomBytes);
      const columns: Readonly<Record<string, Value>> = {
        id: timeOrderedId("key_", at),
        prefix,
        hash: secret.hash(text).toString("hex"),
        secret_mark: secret.mark,
        ...columnsOf(settings),
        created_at: at,
      };
      const names = Object.keys(columns);
      const places = names.map((_, place) => `$${place + 1}`);
      const stored = await write(
        `INSERT INTO keys (${names.join(", ")}, version)
          VALUES (${places.join(", ")}, ${NEXT}) RETURNING ${KEY_COLUMNS}`,
        Object.values(columns),
      );
      if (stored === null) throw new GatewayError("internal", "The new key has no row.");
      return { key: known(stored, null), secret: text };
    },
    async list() {
      const text = `SELECT ${KEY_COLUMNS} FROM keys ORDER BY created_at DESC, id DESC`;
      const keys = storedKeys(await answered(read(text, [])));
      const last = await uses(null);
      return keys.map((stored) => known(stored, last.get(stored.key.id) ?? null));
    },
    async find(which) {
      const stored = await byWhich(which);
      return known(stored, await lastUse(stored.key.id));
    },
    update: (which, settings) => change(which, columnsOf(settings)),
    async rotate(which, overlapMs): Promise<NewKey> {
      const { id } = (await byWhich(which)).key;
      // Before the change: what follows it must not fail, as the new text is told here only.
      const lastUsedAt = await lastUse(id);
      const { text, prefix } = makeKeyText(randomBytes);
      const stored = await write(
        `UPDATE keys SET previous_prefix = prefix, previous_hash = hash, previous_until = $1,
            prefix = $2, hash = $3, secret_mark = $4, version = ${NEXT}
          WHERE id = $5 AND revoked_at IS NULL RETURNING ${KEY_COLUMNS}`,
        [now() + overlapMs, prefix, secret.hash(text).toString("hex"), secret.mark, id],
      );
      return stored === null ? revoked(which) : { key: known(stored, lastUsedAt), secret: text };
    },
    disable: (which) => change(which, { disabled_at: now() }),
    enable: (which) => change(which, { disabled_at: null }),
    async revoke(which) {
      const stored = await byWhich(which);
      const { id, revokedAt } = stored.key;
      if (revokedAt === null) return await change(id, { revoked_at: now() });
      return known(stored, await lastUse(id));
    },
  };
}

function known({ key, previous }: StoredKey, lastUsedAt: number | null): KnownKey {
  const before = previous === null ? null : { prefix: previous.prefix, until: previous.until };
  return { ...key, lastUsedAt, previous: before };
}

/** The columns of these settings; those that are left out are left out. */
function columnsOf(settings: Partial<KeySettings>): Record<string, Value> {
  const columns: Record<string, Value> = {};
  for (const name of ["name", "owner", "role", "plan", "payloads"] as const) {
    const value = settings[name];
    if (value !== undefined) columns[name] = value;
  }
  for (const name of ["models", "endpoints", "tags"] as const) {
    const value = settings[name];
    if (value !== undefined) columns[name] = value === null ? null : JSON.stringify(value);
  }
  const { budget, expiresAt } = settings;
  if (budget !== undefined) {
    columns.budget_period = budget?.period ?? null;
    columns.budget_nano_usd = budget?.nanoUsd ?? null;
  }
  if (expiresAt !== undefined) columns.expires_at = expiresAt;
  return columns;
}

async function patiently(write: () => Promise<unknown>): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write();
    } catch (error) {
      const taken = error instanceof Error && /unique|duplicate/i.test(error.message);
      if (!taken || attempt === ATTEMPTS) throw silent(error);
    }
  }
}

async function answered(rows: Promise<unknown>): Promise<unknown> {
  try {
    return await rows;
  } catch (error) {
    throw silent(error);
  }
}

function silent(cause: unknown): GatewayError {
  return new GatewayError(
    "unavailable",
    "The keys' database does not answer just now. Nothing was changed, as far as is known.",
    { retryAfter: 5, cause },
  );
}

function revoked(which: string): never {
  throw new GatewayError(
    "invalid_request",
    `The key '${which.slice(0, 64)}' is revoked, which is for good. Make a new one.`,
  );
}
