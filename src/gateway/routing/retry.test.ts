import { expect, test } from "bun:test";
import { targetAt } from "../../../test/gateway/targets.ts";
import { type ErrorName, type Fault, GatewayError } from "../../contract/errors.ts";
import { afterFailure, faultOf, nextTarget, type Tried } from "./retry.ts";

const failed = (fault: Fault, retryAfter?: number) =>
  new GatewayError("upstream_error", "…", {
    fault,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
const NOW = 1000;
/** How long it is left alone after its n-th failure in a row. */
const waits = (count: number, random: number, error = failed("broken")) => {
  let tried: Tried | undefined;
  return Array.from({ length: count }, () => {
    tried = afterFailure(tried, error, NOW, random);
    return tried.notBefore - NOW;
  });
};

test("the wait doubles with each failure of the same target", () => {
  expect(waits(4, 1)).toEqual([250, 500, 1000, 2000]);
});

test("chance takes up to half of each wait off", () => {
  expect(waits(3, 0)).toEqual([125, 250, 500]);
  expect(waits(3, 0.5)).toEqual([187.5, 375, 750]);
});

test("a wait that the target asks for is kept, varies upwards, and never shortens the backoff", () => {
  expect(waits(1, 0, failed("busy", 3))).toEqual([3000]);
  expect(waits(1, 1, failed("busy", 3))).toEqual([3250]);
  expect(waits(3, 0, failed("busy", 0.3))).toEqual([300, 300, 500]);
});

test.each(["request", "context", "silent", "unsupported"] as const)(
  "a target that failed with '%s' is not asked twice",
  (fault) => {
    expect(afterFailure(undefined, failed(fault), NOW, 0.5).notBefore).toBe(Infinity);
  },
);

test("where only a key was refused the target may be asked at once, with another one", () => {
  expect(afterFailure(undefined, failed("key"), NOW, 0.5)).toEqual({ times: 1, notBefore: NOW });
});

test.each([
  ["invalid_request", "request"],
  ["content_filter", "request"],
  ["body_too_large", "request"],
  ["context_length_exceeded", "context"],
  ["upstream_timeout", "silent"],
  ["overloaded", "busy"],
  ["model_loading", "busy"],
  ["model_too_big", "unsupported"],
  ["upstream_error", "broken"],
  ["internal", "broken"],
] as const satisfies [ErrorName, Fault][])(
  "'%s' without a fault is taken for '%s'",
  (kind, fault) => {
    expect(faultOf(new GatewayError(kind, "…"))).toBe(fault);
  },
);

const [a, b] = [targetAt("a"), targetAt("b")];
const after = (...tried: [typeof a, number][]) =>
  new Map(tried.map(([{ id }, notBefore]) => [id, { times: 1, notBefore }]));
const next = (
  tried: Map<string, Tried>,
  { now = NOW, deadline = 60_000, maxWaitMs = 5000 } = {},
) => {
  const found = nextTarget([a, b], tried, now, deadline, maxWaitMs);
  return found === null ? null : [found.target.provider, found.waitMs];
};

test("those that were not asked come first, in their order, without a wait", () => {
  expect(next(after())).toEqual(["a", 0]);
  expect(next(after([a, 500]))).toEqual(["b", 0]);
});

test("then the one that may be asked again soonest", () => {
  expect(next(after([a, 1400], [b, 1300]))).toEqual(["b", 300]);
  expect(next(after([a, 900], [b, 950]))).toEqual(["a", 0]);
});

test("nobody is asked who may not be, or only after too long a wait, or past the deadline", () => {
  expect(next(after([a, Infinity], [b, Infinity]))).toBeNull();
  expect(next(after([a, 6251], [b, Infinity]))).toBeNull();
  expect(next(after([a, 6250], [b, Infinity]))).toEqual(["a", 5250]);
  expect(next(after([a, 3000], [b, Infinity]), { deadline: 2999 })).toBeNull();
});

test("one that told somebody else to leave it alone is left alone", () => {
  const rests = (until: number) => (id: string) => (id === a.id ? until : 0);
  expect(nextTarget([a, b], new Map(), NOW, 60_000, 5000, rests(2000))?.target).toBe(b);
  expect(nextTarget([a], new Map(), NOW, 60_000, 5000, rests(2000))?.waitMs).toBe(1000);
  expect(nextTarget([a], after([a, 1200]), NOW, 60_000, 5000, rests(2000))?.waitMs).toBe(1000);
  expect(nextTarget([a], new Map(), NOW, 60_000, 5000, rests(9000))).toBeNull();
  expect(nextTarget([a], new Map(), NOW, 60_000, 5000, rests(NOW))?.waitMs).toBe(0);
});
