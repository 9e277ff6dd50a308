import { expect, test } from "bun:test";
import { targetAt, UNASKED } from "../../../test/gateway/targets.ts";
import { GatewayError } from "../../contract/errors.ts";
import type { ModelState, Target } from "../../types.ts";
import { type Preferences, preferencesOf } from "../preferences.ts";
import { choose, type Facts } from "./choose.ts";
import type { HealthView } from "./health.ts";

interface Known extends Partial<Target> {
  state?: ModelState;
  health?: Partial<HealthView>;
  unsupported?: readonly string[];
  names?: readonly string[];
}

function at(provider: string, known: Known = {}): Facts {
  const { state, health, unsupported = [], names, ...target } = known;
  return {
    target: targetAt(provider, target),
    state: state ?? { state: "ready", detail: null },
    health: { ...UNASKED, ...health },
    unsupported,
    providerNames: names ?? [provider],
  };
}

type Asked = NonNullable<Parameters<typeof preferencesOf>[0]["provider"]>;
const wishing = (provider: Asked = {}): Preferences =>
  preferencesOf({ model: "m", provider }, new Headers());
const DRAW = { now: 1000, random: () => 0.5, turn: 0 };
const chosen = (all: readonly Facts[], provider?: Asked) =>
  choose(all, wishing(provider), "priority", DRAW)
    .map((target) => target.provider)
    .join(" ");

function refusal(all: readonly Facts[], provider?: Asked): GatewayError {
  try {
    chosen(all, provider);
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

const price = (prompt: number, completion: number, request = 0) => ({
  price: { prompt: prompt / 1e6, completion: completion / 1e6, request, cached: null, image: null },
});

const ALL = [
  at("a", { ...price(1, 2), quantization: "fp8", priority: 0 }),
  at("b", { ...price(2, 4, 0.01), collectsData: true, priority: 1 }),
  at("c", {
    unsupported: ["min_p", "seed"],
    quantization: "Q4_K_M",
    priority: 2,
    names: ["c", "see ltd"],
  }),
];

test.each([
  ["nothing", {}, "a b c"],
  ["only", { only: ["B", "c"] }, "b c"],
  ["only, by a display name", { only: ["See Ltd"] }, "c"],
  ["ignore", { ignore: ["a"] }, "b c"],
  ["a quantization", { quantizations: ["FP8"] }, "a"],
  ["an unknown quantization", { quantizations: ["unknown", "q4_k_m"] }, "b c"],
  ["no collection of data", { data_collection: "deny" }, "a c"],
  ["a highest price", { max_price: { prompt: 1, completion: 2 } }, "a"],
  ["a highest price for a request", { max_price: { request: 0 } }, "a"],
  ["all parameters", { require_parameters: true }, "a b"],
  ["an order", { order: ["c", "b"] }, "c b a"],
  ["an order and nothing else", { order: ["c", "b"], allow_fallbacks: false }, "c b"],
  ["no fallbacks", { allow_fallbacks: false }, "a"],
  ["the cheapest", { sort: "price" }, "a b c"],
] satisfies [string, Asked, string][])("a caller who wants %s gets it", (_, provider, order) => {
  expect(chosen(ALL, provider)).toBe(order);
});

test("an order goes before a sort, which goes for the rest", () => {
  const all = [at("x", price(3, 3)), at("y", price(1, 1)), at("z", price(2, 2))];
  expect(chosen(all, { sort: "price", order: ["x"] })).toBe("x y z");
});

test("wishes that leave nobody are told as 404 with what ruled each out", () => {
  const error = refusal(ALL, { only: ["c"], require_parameters: true });
  expect(error).toMatchObject({ status: 404, kind: "model_not_found", param: "provider" });
  expect(error.message).toContain("a: only; b: only; c: require_parameters (min_p, seed)");
});

const NO_KEY: ModelState = { state: "unavailable", detail: "A_KEY is not set" };

test.each([
  ["without a key", { state: NO_KEY }],
  ["with an open breaker", { health: { breaker: "open", opensAt: 4000 } }],
  ["that asked for a pause", { health: { restsUntil: 3000 } }],
] satisfies [string, Known][])("a target %s is left out while another one is well", (_, known) => {
  expect(chosen([at("a", known), at("b")])).toBe("b");
});

test.each([
  ["half-open", { health: { breaker: "half-open", opensAt: 500 } }],
  ["crashed", { state: { state: "crashed", detail: null } }],
  ["rested", { health: { restsUntil: 1000 } }],
] satisfies [string, Known][])("a target that is %s may be asked", (_, known) => {
  expect(chosen([at("a", known), at("b")])).toBe("a b");
});

test("when nobody can answer now it is 503 with each reason, and the shortest wait", () => {
  const error = refusal([
    at("a", { state: NO_KEY }),
    at("b", { health: { breaker: "open", opensAt: 13_000 } }),
    at("c", { health: { restsUntil: 4500 } }),
    at("d", { state: { state: "unavailable", detail: "rests", until: 9000 } }),
  ]);
  expect(error).toMatchObject({ status: 503, kind: "unavailable", retryAfter: 3.5 });
  expect(error.message).toContain(
    "a: A_KEY is not set; b: failed several times in a row; c: asked for a pause; d: rests",
  );
});

const TOO_BIG: ModelState = { state: "too_big", detail: "it needs 8 GB" };

test("what never fits is left out, and where the caller wants nothing else there is no wait to tell", () => {
  const all = [at("a", { state: TOO_BIG }), at("b"), at("c", { health: { restsUntil: 4500 } })];
  expect(chosen(all)).toBe("b");
  for (const wish of [{ only: ["a"] }, { order: ["a"], allow_fallbacks: false }]) {
    const error = refusal(all, wish);
    expect(error).toMatchObject({ status: 503, kind: "model_too_big", retryable: false });
    expect(error.message).toContain("a: it needs 8 GB");
  }
  // The other one may be well again.
  expect(refusal(all, { only: ["a", "c"] })).toMatchObject({
    kind: "unavailable",
    retryAfter: 3.5,
  });
});

test("a wait of next to nothing is told as a second, and an unknown one as five", () => {
  expect(refusal([at("a", { health: { restsUntil: 1001 } })]).retryAfter).toBe(1);
  expect(refusal([at("a", { state: NO_KEY })]).retryAfter).toBe(5);
});

test("with an order and no fallbacks, nobody else is asked while those rest", () => {
  const all = [at("a", { health: { breaker: "open", opensAt: 9000 } }), at("b")];
  expect(refusal(all, { order: ["a"], allow_fallbacks: false })).toMatchObject({
    status: 503,
    param: "provider.order",
  });
});

test("a long list of reasons is cut", () => {
  const many = Array.from({ length: 40 }, (_, n) => at(`p${n}`));
  expect(refusal(many, { only: ["nobody"] }).message).toContain("; and 32 more");
});
