import type { KeyCreate, KeyItem, KeyUpdate } from "./admin-keys.ts";

/** Between a key as requests and answers have it, and as it is kept: dollars to billionths, dates to milliseconds. */

const NANO = 1e9;

/** What a key's row is given of a request; what was left out is left out. Times are Unix milliseconds. */
export interface KeyChange {
  name?: string;
  owner?: string;
  role?: "key" | "admin";
  plan?: string | null;
  models?: readonly string[] | null;
  endpoints?: readonly string[] | null;
  budget?: { readonly period: "day" | "month"; readonly nanoUsd: number } | null;
  tags?: readonly string[];
  payloads?: "off" | "sampled" | "on" | null;
  expiresAt?: number | null;
}

export function keyChange(body: KeyUpdate): KeyChange {
  const { budget, expires_at: expires, models, name: called, owner, role, ...rest } = body;
  const { plan, endpoints, tags, payloads } = rest;
  return {
    ...(called === undefined ? {} : { name: called }),
    ...(owner === undefined ? {} : { owner }),
    ...(role === undefined ? {} : { role }),
    ...(plan === undefined ? {} : { plan }),
    ...(models === undefined
      ? {}
      : { models: models?.map((model) => model.toLowerCase()) ?? null }),
    ...(endpoints === undefined ? {} : { endpoints }),
    ...(budget === undefined
      ? {}
      : {
          budget:
            budget === null
              ? null
              : { period: budget.period, nanoUsd: Math.round(budget.usd * NANO) },
        }),
    ...(tags === undefined ? {} : { tags }),
    ...(payloads === undefined ? {} : { payloads }),
    ...(expires === undefined ? {} : { expiresAt: expires === null ? null : Date.parse(expires) }),
  };
}

/** A new key's settings: what was left out is as it is for most. */
export function newKeySettings(body: KeyCreate): Required<KeyChange> {
  return {
    name: body.name,
    owner: "",
    role: "key",
    plan: null,
    models: null,
    endpoints: null,
    budget: null,
    tags: [],
    payloads: null,
    expiresAt: null,
    ...keyChange(body),
  };
}

interface ShownKey extends Required<KeyChange> {
  readonly id: string;
  readonly prefix: string;
  readonly createdAt: number;
  readonly disabledAt: number | null;
  readonly revokedAt: number | null;
  readonly lastUsedAt: number | null;
  readonly previous: { readonly prefix: string; readonly until: number } | null;
}

/** @param now Unix milliseconds */
export function keyItem(key: ShownKey, state: KeyItem["state"], now: number): KeyItem {
  return {
    object: "key",
    id: key.id,
    prefix: shownPrefix(key.prefix),
    name: key.name,
    owner: key.owner,
    role: key.role,
    plan: key.plan,
    models: key.models === null ? null : [...key.models],
    endpoints: key.endpoints === null ? null : [...key.endpoints],
    budget:
      key.budget === null ? null : { period: key.budget.period, usd: key.budget.nanoUsd / NANO },
    tags: [...key.tags],
    payloads: key.payloads,
    state,
    last_used_at: iso(key.lastUsedAt),
    previous: previousOf(key, now),
    created_at: new Date(key.createdAt).toISOString(),
    expires_at: iso(key.expiresAt),
    disabled_at: iso(key.disabledAt),
    revoked_at: iso(key.revokedAt),
  };
}

/** A key's old text ends with the key, whatever was said at its rotation. */
function previousOf(
  { previous, expiresAt, revokedAt }: ShownKey,
  now: number,
): KeyItem["previous"] {
  if (previous === null || revokedAt !== null) return null;
  const until = Math.min(previous.until, expiresAt ?? previous.until);
  if (until <= now) return null;
  return { prefix: shownPrefix(previous.prefix), works_until: new Date(until).toISOString() };
}

function shownPrefix(prefix: string): string {
  return `sk-covey-${prefix}`;
}

function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
