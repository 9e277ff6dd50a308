import { expect, test } from "bun:test";
import { Seeded } from "../../test/seeded.ts";
import { type Grant, SlidingWindow } from "./sliding-window.ts";

const WINDOW = 1000;

/** The most that any span of the window held; spans that end at a grant are enough. */
function mostInAnyWindow(grants: readonly Grant[]): number {
  let most = 0;
  let sum = 0;
  let first = 0;
  for (const grant of grants) {
    sum += grant.amount;
    for (;;) {
      const oldest = grants[first];
      if (oldest === undefined || oldest.at + WINDOW > grant.at) break;
      sum -= oldest.amount;
      first += 1;
    }
    most = Math.max(most, sum);
  }
  return most;
}

test("no span of the window ever holds more than the limit, whatever is taken and given back when", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new Seeded(seed).next;
    const limit = 5 + Math.floor(random() * 200);
    const window = new SlidingWindow(WINDOW);
    const taken: Grant[] = [];
    const open: Grant[] = [];
    let now = 0;
    for (let step = 0; step < 4000; step++) {
      now += random() < 0.7 ? random() * 4 : random() * 300;
      const amount = 1 + Math.floor(random() * limit * 0.4);
      if (window.wait(now, amount, limit) === 0) {
        const grant = window.take(now, amount);
        taken.push(grant);
        open.push(grant);
        // What is reserved counts as used until it is known.
        expect(mostInAnyWindow(taken.slice(-300))).toBeLessThanOrEqual(limit);
      }
      if (open.length > 0 && random() < 0.6) {
        const [grant] = open.splice(Math.floor(random() * open.length), 1);
        if (grant !== undefined) window.correct(now, grant, Math.floor(grant.amount * random()));
      }
    }
    expect(taken.length).toBeGreaterThan(100);
    expect(mostInAnyWindow(taken)).toBeLessThanOrEqual(limit);
  }
});

test("a refusal says exactly when the next grant is free", () => {
  const window = new SlidingWindow(60_000);
  window.take(1_000, 1);
  window.take(11_000, 1);
  expect(window.wait(21_000, 1, 2)).toBe(40_000);
  expect([window.used(21_000), window.resetIn(21_000)]).toEqual([2, 50_000]);
  expect(window.wait(60_999, 1, 2)).toBe(1);
  expect(window.wait(61_000, 1, 2)).toBe(0);
});

test("a large amount waits for as many grants as it takes, and one above the limit for ever", () => {
  const window = new SlidingWindow(60_000);
  window.take(0, 30);
  window.take(10_000, 30);
  window.take(20_000, 40);
  expect(window.wait(30_000, 60, 100)).toBe(40_000);
  expect(window.wait(30_000, 100, 100)).toBe(50_000);
  expect(window.wait(30_000, 101, 100)).toBe(Number.POSITIVE_INFINITY);
});

test("what is given back is free at once; what was too little counts from its own moment", () => {
  const window = new SlidingWindow(60_000);
  const grant = window.take(0, 100);
  window.correct(30_000, grant, 40);
  expect(window.wait(30_000, 60, 100)).toBe(0);
  window.correct(30_000, grant, 120);
  expect(window.wait(30_000, 1, 100)).toBe(30_000);
  expect(window.used(60_000)).toBe(0);
  window.correct(60_000, grant, 5);
  expect(window.used(60_000)).toBe(0);
});
