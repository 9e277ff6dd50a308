import {
  ADMIN_KEYS,
  KeyCreate,
  type KeyItem,
  type KeyList,
  type KeyMade,
  KeyRotate,
  KeysQuery,
  KeyUpdate,
} from "../contract/admin-keys.ts";
import { GatewayError } from "../contract/errors.ts";
import { keyChange, keyItem, newKeySettings } from "../contract/key-settings.ts";
import { parseQuery, parseRequest } from "../contract/validate.ts";
import { authenticateAdmin } from "../gateway/authenticate.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { keyState } from "../lib/key-state.ts";
import type { KeyStore, KnownKey, NewKey } from "../types.ts";
import { readJson } from "./body.ts";

/** Bytes; the longest list of models is smaller. */
const MOST_BYTES = 256 * 1024;
const USUAL_LIMIT = 100;

type Mount = (path: string, handler: (request: Request) => Promise<Response>) => void;
/** `by` is the id of the key that asks. */
type Act = (request: Request, by: string) => Promise<Response>;

/**
 * The keys, for whoever holds an admin key. Every one of them
 * @throws GatewayError 400, 401, 403, 404, 503
 */
export function mountAdminKeys(get: Mount, post: Mount, gateway: Gateway, keys: KeyStore): void {
  const { list, create, get: one, update, rotate } = ADMIN_KEYS;
  const admin = (act: Act) => async (request: Request) =>
    act(request, authenticateAdmin(request.headers, gateway.auth).keyId);

  get(
    list.path,
    admin(async (request) => {
      const query = parseQuery(KeysQuery, new URL(request.url).searchParams);
      return Response.json(pageOfKeys(await keys.list(), query, Date.now()));
    }),
  );

  post(
    create.path,
    admin(async (request, by) => {
      const settings = newKeySettings(parseRequest(KeyCreate, await bodyOf(request)));
      expectPlan(gateway, settings.plan);
      expectFuture(settings.expiresAt, Date.now());
      return made(gateway, by, "made", await keys.create(settings));
    }),
  );

  get(
    pattern(one.path),
    admin(async (request) => {
      return shown(await keys.find(whichOf(request)));
    }),
  );

  post(
    pattern(update.path),
    admin(async (request, by) => {
      const change = keyChange(parseRequest(KeyUpdate, await bodyOf(request)));
      expectPlan(gateway, change.plan ?? null);
      return done(gateway, by, "changed", await keys.update(whichOf(request), change));
    }),
  );

  post(
    pattern(rotate.path),
    admin(async (request, by) => {
      const isEmpty = request.headers.get("content-length") === "0" || request.body === null;
      const body = parseRequest(KeyRotate, isEmpty ? {} : await bodyOf(request));
      const overlapMs = (body.overlap_seconds ?? 0) * 1000;
      return made(gateway, by, "rotated", await keys.rotate(whichOf(request), overlapMs));
    }),
  );

  for (const [act, word] of [
    ["disable", "disabled"],
    ["enable", "enabled"],
    ["revoke", "revoked"],
  ] as const) {
    post(
      pattern(ADMIN_KEYS[act].path),
      admin(async (request, by) => {
        return done(gateway, by, word, await keys[act](whichOf(request)));
      }),
    );
  }
}

/** Filters and cuts out a page; newest first, as they come. Pure. */
export function pageOfKeys(keys: readonly KnownKey[], query: KeysQuery, now: number): KeyList {
  const { owner, tag, state, limit = USUAL_LIMIT, after } = query;
  const start = after === undefined ? 0 : keys.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && start === 0) {
    throw new GatewayError("invalid_request", "There is no key of that id to go on after.", {
      param: "after",
    });
  }
  const found = keys
    .slice(start)
    .filter(
      (key) =>
        (owner === undefined || key.owner === owner) &&
        (tag === undefined || key.tags.includes(tag)) &&
        (state === undefined || keyState(key, now) === state),
    );
  return {
    object: "list",
    data: found.slice(0, limit).map((key) => itemOf(key, now)),
    has_more: found.length > limit,
  };
}

function bodyOf(request: Request): Promise<unknown> {
  return readJson(request, MOST_BYTES, () => undefined);
}

/** `/admin/v1/keys/{id}/rotate` as the router writes it. */
function pattern(path: string): string {
  return path.replace("{id}", ":id");
}

/** The key that a path names, by id, prefix or name. */
function whichOf(request: Request): string {
  const [part = ""] = new URL(request.url).pathname
    .slice(`${ADMIN_KEYS.list.path}/`.length)
    .split("/");
  try {
    return decodeURIComponent(part);
  } catch (error) {
    throw new GatewayError("invalid_request", "The path is not valid percent-encoding.", {
      cause: error,
    });
  }
}

/** A key of a plan that is not there would quietly have another one. */
function expectPlan({ plans }: Gateway, plan: string | null): void {
  if (plan === null || plans.named.has(plan)) return;
  const names = [...plans.named.keys()];
  throw new GatewayError(
    "invalid_request",
    `There is no plan '${plan}' in the config. ${names.length === 0 ? "It has no [plans]." : `It has: ${names.join(", ")}.`}`,
    { param: "plan" },
  );
}

/** A key that has expired when it is made is a slip; one that is there may be ended so. */
function expectFuture(expiresAt: number | null, now: number): void {
  if (expiresAt === null || expiresAt > now) return;
  throw new GatewayError(
    "invalid_request",
    "'expires_at' is in the past: the key would never open.",
    {
      param: "expires_at",
    },
  );
}

function itemOf(key: KnownKey, now: number): KeyItem {
  return keyItem(key, keyState(key, now), now);
}

function shown(key: KnownKey): Response {
  return Response.json(itemOf(key, Date.now()));
}

/** Who did what to which key is in the log; the key itself is not. */
function done(gateway: Gateway, by: string, word: string, key: KnownKey): Response {
  gateway.log.info(`a key was ${word}`, { key: key.id, by });
  return shown(key);
}

function made(gateway: Gateway, by: string, word: string, { key, secret }: NewKey): Response {
  gateway.log.info(`a key was ${word}`, { key: key.id, by });
  const body: KeyMade = { ...itemOf(key, Date.now()), key: secret };
  return Response.json(body, { headers: { "cache-control": "no-store" } });
}
