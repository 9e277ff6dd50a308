import { expect, test } from "bun:test";
import { Slots } from "./slots.ts";

const slots = (limit: number | null) => new Slots(() => limit);

/** Waits, and writes down when it gets its place. */
function waiting(all: Slots, name: string, units: number, got: string[]) {
  const releases: (() => void)[] = [];
  const stop = all.wait("p", units, (release) => {
    got.push(name);
    releases.push(release);
  });
  return { stop, release: () => releases[0]?.() };
}

test("as many units as the limit are given, and a unit given back twice is free once", () => {
  const all = slots(2);
  const first = all.take("p", 1);
  expect(all.take("p", 1)).not.toBeNull();
  expect([all.take("p", 1), all.hasPlace("p", 1)]).toEqual([null, false]);
  first?.();
  first?.();
  expect(all.take("p", 1)).not.toBeNull();
  expect(all.take("p", 1)).toBeNull();
});

test("without a limit there is always a place, and providers don't share theirs", () => {
  const free = slots(null);
  for (let n = 0; n < 100; n++) expect(free.take("p", 5)).not.toBeNull();
  const one = slots(1);
  one.take("p", 1);
  expect(one.take("q", 1)).not.toBeNull();
});

test("a call of more units than there are runs alone", () => {
  const all = slots(2);
  const large = all.take("p", 4);
  expect([large === null, all.take("p", 1)]).toEqual([false, null]);
  large?.();
  expect(all.take("p", 1)).not.toBeNull();
  expect(all.take("p", 4)).toBeNull();
});

test("who waits gets a place in turn, and nobody who comes later gets it first", () => {
  const all = slots(2);
  const [a, b] = [all.take("p", 1), all.take("p", 1)];
  const got: string[] = [];
  const large = waiting(all, "large", 2, got);
  waiting(all, "small", 1, got);
  a?.();
  // One unit is free, but the large call was there first.
  expect([got.join(), all.take("p", 1)]).toEqual(["", null]);
  b?.();
  expect(got).toEqual(["large"]);
  large.release();
  expect(got).toEqual(["large", "small"]);
});

test("who stops waiting lets those behind it have what is free", () => {
  const all = slots(2);
  all.take("p", 1);
  const second = all.take("p", 1);
  const got: string[] = [];
  const large = waiting(all, "large", 2, got);
  waiting(all, "small", 1, got);
  second?.();
  large.stop();
  large.stop();
  expect(got).toEqual(["small"]);
});

test("a place that comes free wakes only those who can have one", () => {
  const all = slots(1);
  const first = all.take("p", 1);
  const got: string[] = [];
  for (let n = 0; n < 1000; n++) waiting(all, `${n}`, 1, got);
  first?.();
  expect(got).toEqual(["0"]);
});
