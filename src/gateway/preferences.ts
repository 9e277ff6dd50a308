import { GatewayError } from "../contract/errors.ts";
import { type ProviderPreferences, ROUTING_FIELDS } from "../contract/routing.ts";
import type { JsonObject } from "../types.ts";

/** What a caller wants of the choice of targets. Names of providers are in lower case, prices in dollars a token. */
export interface Preferences {
  /** The model that was asked for and those to fall back to, without doubles. */
  readonly models: readonly string[];
  readonly order: readonly string[];
  readonly only: readonly string[] | null;
  readonly ignore: readonly string[];
  readonly allowFallbacks: boolean;
  readonly requireParameters: boolean;
  readonly sort: "price" | "throughput" | "latency" | null;
  readonly maxPrice: {
    readonly prompt: number;
    readonly completion: number;
    readonly request: number;
  } | null;
  readonly quantizations: readonly string[] | null;
  readonly denyDataCollection: boolean;
  /** Calls of one session stay with one target. */
  readonly session: string | null;
}

const NO_PREFERENCES: Omit<Preferences, "models" | "session"> = {
  order: [],
  only: null,
  ignore: [],
  allowFallbacks: true,
  requireParameters: false,
  sort: null,
  maxPrice: null,
  quantizations: null,
  denyDataCollection: false,
};

const MILLION = 1e6;
const LONGEST_SESSION = 256;

/** The fields of the body that this reads; the contract has checked them. */
interface Asked {
  readonly model: string;
  readonly models?: readonly string[] | null | undefined;
  readonly provider?: ProviderPreferences | null | undefined;
  readonly session_id?: string | null | undefined;
  readonly prompt_cache_key?: string | undefined;
}

/**
 * Where a caller wants to be answered: the body's fields, and two headers. `x-covey-provider` pins the
 * call to one provider; `x-session-id` names a session, as do `session_id` and `prompt_cache_key`.
 * @throws GatewayError 400 for a header that is no name
 */
export function preferencesOf(asked: Asked, headers: Headers): Preferences {
  const pin = headers.get("x-covey-provider");
  const session = asked.session_id ?? headers.get("x-session-id") ?? asked.prompt_cache_key ?? null;
  const models =
    asked.models == null ? [asked.model] : [...new Set([asked.model, ...asked.models])];
  const wishes = asked.provider == null ? NO_PREFERENCES : wishesOf(asked.provider);
  return {
    ...wishes,
    ...(pin === null ? {} : { only: [pinned(pin)], ignore: [] }),
    models,
    session: session === null || session === "" ? null : session.slice(0, LONGEST_SESSION),
  };
}

function wishesOf(asked: ProviderPreferences): Omit<Preferences, "models" | "session"> {
  const { max_price: price } = asked;
  return {
    order: lower(asked.order) ?? [],
    only: lower(asked.only),
    ignore: lower(asked.ignore) ?? [],
    allowFallbacks: asked.allow_fallbacks !== false,
    requireParameters: asked.require_parameters === true,
    sort: asked.sort ?? null,
    maxPrice:
      price == null
        ? null
        : {
            prompt: (price.prompt ?? Number.POSITIVE_INFINITY) / MILLION,
            completion: (price.completion ?? Number.POSITIVE_INFINITY) / MILLION,
            request: price.request ?? Number.POSITIVE_INFINITY,
          },
    quantizations: lower(asked.quantizations),
    denyDataCollection: asked.data_collection === "deny",
  };
}

/** An empty list is no wish: clients send one for a field that nobody filled in. */
const lower = (names: readonly string[] | null | undefined): string[] | null =>
  names == null || names.length === 0 ? null : names.map((name) => name.toLowerCase());

function pinned(name: string): string {
  if (/^[\w.-]{1,64}$/.test(name)) return name.toLowerCase();
  throw new GatewayError("invalid_request", "The header x-covey-provider must be a provider's id.");
}

const KNOWN_WISHES = new Set([
  ...["order", "only", "ignore", "allow_fallbacks", "require_parameters", "sort", "max_price"],
  ...["quantizations", "data_collection"],
]);

/** The names of wishes inside `provider` that nobody here fulfils: to be told, as dropped. */
export function unknownWishes(provider: unknown): string[] {
  if (typeof provider !== "object" || provider === null) return [];
  return Object.entries(provider)
    .filter(([name, value]) => value != null && !KNOWN_WISHES.has(name))
    .map(([name]) => `provider.${name}`);
}

/** The request without what is the gateway's own: what targets are sent. */
export function withoutRouting<T extends JsonObject>(input: T): T {
  if (!ROUTING_FIELDS.some((field) => field in input)) return input;
  const rest: JsonObject = { ...input };
  for (const field of ROUTING_FIELDS) delete rest[field];
  return rest as T;
}
