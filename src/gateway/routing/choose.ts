import { GatewayError } from "../../contract/errors.ts";
import type { ModelState, Target } from "../../types.ts";
import { mayAnswer } from "../gateway.ts";
import type { Preferences } from "../preferences.ts";
import { tooBig } from "../too-big.ts";
import { bySort, type Candidate, type Draw, inOrder, type Strategy } from "./order.ts";

/** What is known of a target when one has to be chosen. */
export interface Facts extends Candidate {
  readonly state: ModelState;
  /** Names of the request's parameters that it can't honour; only filled in where they count. */
  readonly unsupported: readonly string[];
  /** Other names its provider goes by, in lower case. */
  readonly providerNames: readonly string[];
}

type Wishes = Omit<Preferences, "models">;

/**
 * The targets that may be asked now, best first. Pure: what is known of each comes in.
 *
 * What the caller rules out is ruled out; of the rest, those that can't answer now (no key, an open
 * breaker, a pause that they asked for) are left out, and the others put in order: the caller's own
 * first, then by the caller's `sort`, then by the model's strategy; those that said they do not have
 * the model come last.
 * @throws GatewayError 404 when the caller's wishes leave none, 503 when none can answer now or ever
 */
export function choose(
  all: readonly Facts[],
  wishes: Wishes,
  strategy: Strategy,
  draw: Draw,
): readonly Target[] {
  const allowed = all.filter((facts) => ruledOutBy(facts, wishes) === null);
  if (allowed.length === 0) throw nothingLeft(all, wishes);
  const usable = allowed.filter((facts) => pauseOf(facts, draw.now) === null);
  if (usable.length === 0) throw nothingWell(allowed, draw.now);
  const sorted =
    wishes.sort === null
      ? inOrder(usable, strategy, wishes.session, draw)
      : bySort(usable, wishes.sort, draw.now);
  const lacks = ({ health }: Candidate): boolean => health.lacksUntil > draw.now;
  const having = sorted.some(lacks)
    ? [...sorted.filter((each) => !lacks(each)), ...sorted.filter(lacks)]
    : sorted;
  const targets = preferred(having, all, wishes.order).map(({ target }) => target);
  if (wishes.allowFallbacks) return targets;
  if (wishes.order.length === 0) return targets.slice(0, 1);
  const isNamed = (target: Target): boolean =>
    rank(target, all, wishes.order) < wishes.order.length;
  const named = targets.filter(isNamed);
  if (named.length > 0) return named;
  const known = allowed.filter(({ target }) => isNamed(target));
  if (neverFit(known)) throw nothingWell(known, draw.now);
  throw new GatewayError(
    "unavailable",
    "None of the providers in 'provider.order' can answer now, and 'allow_fallbacks' is false.",
    { param: "provider.order", retryAfter: 5 },
  );
}

/** The wish that rules a target out, or null. */
function ruledOutBy(facts: Facts, wishes: Wishes): string | null {
  const { target } = facts;
  const isNamed = (names: readonly string[]) =>
    names.some((name) => facts.providerNames.includes(name));
  if (wishes.only !== null && !isNamed(wishes.only)) return "only";
  if (isNamed(wishes.ignore)) return "ignore";
  const { maxPrice, quantizations } = wishes;
  if (quantizations !== null) {
    const quantization = target.quantization?.toLowerCase() ?? "unknown";
    if (!quantizations.includes(quantization)) return "quantizations";
  }
  if (wishes.denyDataCollection && target.collectsData) return "data_collection";
  if (maxPrice !== null && !isWithin(target, maxPrice)) return "max_price";
  if (wishes.requireParameters && facts.unsupported.length > 0) return "require_parameters";
  return null;
}

/** A price that nobody told may be any. */
function isWithin({ price }: Target, most: NonNullable<Wishes["maxPrice"]>): boolean {
  if (price === null) return Object.values(most).every((each) => each === Number.POSITIVE_INFINITY);
  return (
    price.prompt <= most.prompt &&
    price.completion <= most.completion &&
    price.request <= most.request
  );
}

interface Pause {
  readonly reason: string;
  /** Milliseconds; null when nobody knows. */
  readonly ms: number | null;
}

/** Why a target can't be asked now, or null. */
function pauseOf({ state, health }: Facts, now: number): Pause | null {
  if (!mayAnswer(state)) {
    const ms = state.until === undefined ? null : Math.max(0, state.until - now);
    return { reason: state.detail ?? "not available", ms };
  }
  if (health.breaker === "open") {
    return { reason: "failed several times in a row", ms: Math.max(0, health.opensAt - now) };
  }
  const rest = health.restsUntil - now;
  return rest > 0 ? { reason: "asked for a pause", ms: rest } : null;
}

function preferred<C extends Candidate>(
  sorted: readonly C[],
  all: readonly Facts[],
  order: readonly string[],
): readonly C[] {
  if (order.length === 0) return sorted;
  return [...sorted].sort((a, b) => rank(a.target, all, order) - rank(b.target, all, order));
}

/** Its provider's place in the caller's order; behind all when it is not in it. */
function rank(target: Target, all: readonly Facts[], order: readonly string[]): number {
  const names = all.find((facts) => facts.target === target)?.providerNames ?? [];
  const place = order.findIndex((name) => names.includes(name));
  return place === -1 ? order.length : place;
}

function nothingLeft(all: readonly Facts[], wishes: Wishes): GatewayError {
  const model = all[0]?.target.model.id ?? "this model";
  const reasons = all.map((facts) => {
    const wish = ruledOutBy(facts, wishes);
    const names = wish === "require_parameters" ? ` (${facts.unsupported.join(", ")})` : "";
    return `${facts.target.provider}: ${wish}${names}`;
  });
  return new GatewayError(
    "model_not_found",
    `No provider of '${model}' fits what 'provider' asks for. Ruled out: ${list(reasons)}.`,
    { param: "provider" },
  );
}

function neverFit(all: readonly Facts[]): boolean {
  return all.length > 0 && all.every(({ state }) => state.state === "too_big");
}

const SHORTEST_RETRY_S = 1;
const USUAL_RETRY_S = 5;

function nothingWell(allowed: readonly Facts[], now: number): GatewayError {
  const model = allowed[0]?.target.model.id ?? "this model";
  const pauses = allowed.map((facts) => ({ facts, pause: pauseOf(facts, now) }));
  const waits = pauses.flatMap(({ pause }) => (pause?.ms == null ? [] : [pause.ms / 1000]));
  const reasons = pauses.map(({ facts, pause }) => `${facts.target.provider}: ${pause?.reason}`);
  if (neverFit(allowed)) return tooBig(model, list(reasons));
  return new GatewayError(
    "unavailable",
    `Nothing can answer for '${model}' now (${list(reasons)}).`,
    {
      retryAfter:
        waits.length === 0 ? USUAL_RETRY_S : Math.max(SHORTEST_RETRY_S, Math.min(...waits)),
    },
  );
}

const SHOWN_REASONS = 8;

function list(reasons: readonly string[]): string {
  const more = reasons.length - SHOWN_REASONS;
  const shown = reasons.slice(0, SHOWN_REASONS).join("; ");
  return more > 0 ? `${shown}; and ${more} more` : shown;
}
