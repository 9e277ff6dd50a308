import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { GatewayError } from "../contract/errors.ts";
import { type KeyState, keyState } from "../lib/key-state.ts";
import { readKeyText } from "../lib/key-text.ts";
import type { Caller, Key } from "../types.ts";

/** The keys that were made, as the store keeps them in memory. */
export interface Keys {
  /**
   * `unknown` until the store was read for the first time, `stale` when it has been silent for longer
   * than keys may be taken without it; otherwise whether any key was ever made.
   */
  readonly standing: "unknown" | "stale" | "none" | "some";
  /** The key that this text opens, whether or not it still may. Takes as long for one that is none. */
  find(presented: string): Key | null;
  /** What is known now of the key that a call came with; null where its text is forgotten. */
  current(key: Key): Key | null;
}

export interface AuthRules {
  /** SHA-256 of the admin key; null while no key is configured. */
  readonly adminKeyHash: Buffer | null;
  readonly keys: Keys;
  readonly allowAnonymous: boolean;
  /** Host names, besides loopback's, that anonymous requests may be addressed to; `*` is any. */
  readonly anonymousHosts: ReadonlySet<string>;
  /** Origins whose pages may call, as CORS allows them. */
  readonly origins: ReadonlySet<string>;
}

/** What proxies add; a local program sends none of these. */
const PROXY_HEADERS = [
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
  "via",
  "cf-connecting-ip",
];

export const ANONYMOUS: Caller = { keyId: "anonymous", role: "anonymous", key: null };
const ADMIN: Caller = { keyId: "admin", role: "admin", key: null };

export function hashKey(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

/** What a presented key is compared with while no admin key is configured. */
const NO_KEY = randomBytes(32);

/**
 * Who is calling. A bearer token or `x-api-key` is the admin key's or one of the keys'; while there is
 * neither, any token counts as anonymous, since SDKs insist on sending one.
 * @param now Unix milliseconds
 * @throws GatewayError 401; 503 while nobody can tell
 */
export function authenticate(headers: Headers, rules: AuthRules, now = Date.now()): Caller {
  const presented = presentedKey(headers);
  if (presented !== null) {
    const caller = holderOf(presented, rules, now);
    if (caller !== null) return caller;
  }
  if (!rules.allowAnonymous) {
    throw unauthorized("This server needs an API key: send it as `Authorization: Bearer …`.");
  }
  const reason = anonymousRefusal(headers, rules);
  if (reason !== null) throw unauthorized(reason);
  return ANONYMOUS;
}

/** The holder of a key; null for any text where there are no keys at all. */
function holderOf(presented: string, rules: AuthRules, now: number): Caller | null {
  const { adminKeyHash, keys } = rules;
  // Both are always computed: how long it takes says nothing of what was sent.
  const isAdmin = timingSafeEqual(hashKey(presented), adminKeyHash ?? NO_KEY);
  const key = keys.find(presented);
  if (isAdmin && adminKeyHash !== null) return ADMIN;
  const { standing } = keys;
  if (standing === "unknown" || standing === "stale") {
    throw new GatewayError("unavailable", "API keys can't be checked just now.", { retryAfter: 2 });
  }
  if (key !== null) {
    const state = keyState(key, now);
    if (state !== "active") throw unauthorized(endedMessage(state));
    return { keyId: key.id, role: key.role, key };
  }
  if (adminKeyHash === null && standing === "none") return null;
  throw unauthorized(
    readKeyText(presented).whole
      ? `The API key is not valid. Check the key in \`Authorization: Bearer …\`.${withoutKey(rules)}`
      : "The API key is mistyped or cut off: its last characters don't fit the others.",
  );
}

/** While there were no keys any text would do, as SDKs must send one: whoever still sends that is told what has changed. */
function withoutKey({ allowAnonymous }: AuthRules): string {
  return allowAnonymous
    ? " Since this server has keys, a placeholder such as 'none' is no longer taken for no key: send one of them, or no key at all."
    : "";
}

/**
 * Why a call whose key was good when it came may not go on; null where it may.
 * @param now Unix milliseconds
 */
export function withdrawn({ key }: Caller, rules: AuthRules, now: number): GatewayError | null {
  if (key === null) return null;
  const current = rules.keys.current(key);
  const state = current === null ? "revoked" : keyState(current, now);
  return state === "active" ? null : unauthorized(endedMessage(state));
}

/** The caller, who must hold an admin key. @throws GatewayError 401, 403 */
export function authenticateAdmin(headers: Headers, rules: AuthRules): Caller {
  const caller = authenticate(headers, rules);
  if (caller.role === "admin") return caller;
  throw new GatewayError(
    "endpoint_not_allowed",
    "This endpoint needs an admin key: the one in COVEY_ADMIN_KEY, or one made with `covey keys create --admin`.",
  );
}

function endedMessage(state: Exclude<KeyState, "active">): string {
  return state === "expired" ? "This API key has expired." : `This API key is ${state}.`;
}

/** Of an `Authorization` that is no bearer's all is taken: it is no key, and must not pass for none either. */
function presentedKey(headers: Headers): string | null {
  const authorization = headers.get("authorization")?.trim() ?? "";
  const token = BEARER.exec(authorization)?.[1];
  if (token !== undefined && token !== "") return token;
  const apiKey = headers.get("x-api-key");
  if (apiKey !== null && apiKey !== "") return apiKey;
  return authorization === "" || token === "" ? null : authorization;
}

const BEARER = /^bearer(?:\s+|$)(.*)$/i;

/**
 * Without a key only a local program may call: not a page of another site in a browser, not a name
 * that was re-bound to this address, not somebody behind a reverse proxy on the same host.
 */
function anonymousRefusal(headers: Headers, rules: AuthRules): string | null {
  if (PROXY_HEADERS.some((name) => headers.get(name) !== null)) {
    return "Requests that come through a proxy need an API key: set COVEY_ADMIN_KEY, or make one with `covey keys create`.";
  }
  const host = headers.get("host") ?? "";
  const name = hostName(host);
  if (!isLoopbackName(name) && !rules.anonymousHosts.has(name) && !rules.anonymousHosts.has("*")) {
    return `Requests without a key must be addressed to this machine, not to '${name.slice(0, 64)}'. Add the name to auth.anonymous_hosts, or send a key.`;
  }
  const origin = headers.get("origin");
  if (origin !== null && !isSameOrigin(origin, host) && !rules.origins.has(origin)) {
    return "Pages of another origin need an API key, or a place in server.cors_origins.";
  }
  return null;
}

/** The name or address in a `Host` header, lower case, without its port. */
export function hostName(host: string): string {
  const lower = host.toLowerCase();
  if (lower.startsWith("[")) return lower.slice(0, lower.indexOf("]") + 1);
  const colon = lower.indexOf(":");
  return colon === -1 ? lower : lower.slice(0, colon);
}

export function isLoopbackName(name: string): boolean {
  return (
    name === "localhost" ||
    name === "[::1]" ||
    name === "::1" ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name)
  );
}

function isSameOrigin(origin: string, host: string): boolean {
  const lower = origin.toLowerCase();
  return lower === `http://${host.toLowerCase()}` || lower === `https://${host.toLowerCase()}`;
}

function unauthorized(message: string): GatewayError {
  return new GatewayError("invalid_api_key", message, { docUrl: "/docs/keys" });
}
