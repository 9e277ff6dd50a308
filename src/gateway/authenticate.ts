import { createHash, timingSafeEqual } from "node:crypto";
import { GatewayError } from "../contract/errors.ts";
import type { Caller } from "../types.ts";

export interface AuthRules {
  /** SHA-256 of the admin key; null while no key is configured. */
  readonly adminKeyHash: Buffer | null;
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

/**
 * Who is calling. A bearer token or `x-api-key` is checked against the configured key; while none is
 * configured any token counts as anonymous, since SDKs insist on sending one.
 * @throws GatewayError 401
 */
export function authenticate(headers: Headers, rules: AuthRules): Caller {
  const key = presentedKey(headers);
  if (key !== null && rules.adminKeyHash !== null) {
    if (timingSafeEqual(hashKey(key), rules.adminKeyHash)) return ADMIN;
    throw unauthorized("The API key is not valid. Check the key in `Authorization: Bearer …`.");
  }
  if (!rules.allowAnonymous) {
    throw unauthorized("This server needs an API key: send it as `Authorization: Bearer …`.");
  }
  const reason = anonymousRefusal(headers, rules);
  if (reason !== null) throw unauthorized(reason);
  return ANONYMOUS;
}

function presentedKey(headers: Headers): string | null {
  const authorization = headers.get("authorization");
  if (authorization !== null) {
    const space = authorization.indexOf(" ");
    if (space > 0 && authorization.slice(0, space).toLowerCase() === "bearer") {
      const token = authorization.slice(space + 1).trim();
      if (token !== "") return token;
    }
  }
  const apiKey = headers.get("x-api-key");
  return apiKey === null || apiKey === "" ? null : apiKey;
}

/**
 * Without a key only a local program may call: not a page of another site in a browser, not a name
 * that was re-bound to this address, not somebody behind a reverse proxy on the same host.
 */
function anonymousRefusal(headers: Headers, rules: AuthRules): string | null {
  if (PROXY_HEADERS.some((name) => headers.get(name) !== null)) {
    return "Requests that come through a proxy need an API key: set one with COVEY_ADMIN_KEY.";
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
