import { expect, test } from "bun:test";
import {
  type Breaker,
  breakerState,
  CLOSED,
  onAsked,
  onBegun,
  onFailure,
  onNothing,
  onSuccess,
} from "./breaker.ts";

const rules = { failures: 3, cooldownMs: 1000 };

/** Opened by three failures in a row, the last one at `at`. */
function opened(at: number): Breaker {
  let breaker = CLOSED;
  for (let n = 0; n < 3; n++) breaker = onFailure(onAsked(breaker, at), rules, at, false);
  return breaker;
}

test("it opens on so many failures in a row, and not on as many with a success between", () => {
  let breaker = CLOSED;
  for (let n = 0; n < 2; n++) breaker = onFailure(breaker, rules, 0, false);
  expect(breakerState(breaker, 0)).toBe("closed");
  breaker = onSuccess();
  for (let n = 0; n < 2; n++) breaker = onFailure(breaker, rules, 0, false);
  expect(breakerState(breaker, 0)).toBe("closed");
  expect(breakerState(onFailure(breaker, rules, 0, false), 0)).toBe("open");
});

test("after its cooldown one call may try it, and no second one meanwhile", () => {
  const breaker = opened(0);
  expect(breakerState(breaker, 999)).toBe("open");
  expect(breakerState(breaker, 1000)).toBe("half-open");
  const probing = onAsked(breaker, 1000);
  expect(breakerState(probing, 1000)).toBe("open");
  expect(breakerState(probing, 1e9)).toBe("open");
});

test("a probe that succeeds closes it, and its next failures count from nothing", () => {
  const closed = onSuccess();
  expect(breakerState(closed, 2000)).toBe("closed");
  expect(breakerState(onFailure(closed, rules, 2000, false), 2000)).toBe("closed");
});

test("each probe that fails doubles the cooldown, up to ten times the first", () => {
  let breaker = opened(0);
  let now = 0;
  const pauses = [breaker.until];
  for (let n = 0; n < 6; n++) {
    now = breaker.until;
    breaker = onFailure(onAsked(breaker, now), rules, now, true);
    pauses.push(breaker.until - now);
  }
  expect(pauses.map(Math.round)).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
});

test("a probe whose client left leaves it half-open for the next call", () => {
  const probing = onAsked(opened(0), 1000);
  expect(breakerState(onNothing(probing, true), 1000)).toBe("half-open");
});

test("calls that were on their way when it opened do not open it further", () => {
  const breaker = opened(0);
  const later = onFailure(breaker, rules, 500, false);
  expect(later.until).toBe(breaker.until);
  expect(later.opened).toBe(1);
});

test("without a number of failures it never opens", () => {
  let breaker = CLOSED;
  for (let n = 0; n < 100; n++)
    breaker = onFailure(breaker, { failures: 0, cooldownMs: 1 }, n, false);
  expect(breakerState(breaker, 100)).toBe("closed");
});

test("a call from before it opened ends no probe, and reopens nothing", () => {
  const probing = onAsked(opened(0), 1000);
  expect(breakerState(onNothing(probing, false), 1001)).toBe("open");
  const failed = onFailure(probing, rules, 1001, false);
  expect(failed).toMatchObject({ until: 1000, opened: 1, probing: true });
  const halfOpen = onFailure(opened(0), rules, 1500, false);
  expect(breakerState(halfOpen, 1500)).toBe("half-open");
});

test("once its probe has begun to answer others may follow, and one failure more opens it for longer", () => {
  const probed = onAsked(opened(0), 1000);
  expect(breakerState(probed, 1001)).toBe("open");
  expect(breakerState(onBegun(probed, false), 1001)).toBe("open");
  const begun = onBegun(probed, true);
  expect(breakerState(begun, 1001)).toBe("closed");
  const failed = onFailure(begun, rules, 1002, true);
  expect([breakerState(failed, 1003), failed.until]).toEqual(["open", 1002 + 2000]);
  expect(breakerState(onSuccess(), 1003)).toBe("closed");
});
