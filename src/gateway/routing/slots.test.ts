import { expect, test } from "bun:test";
import { Slots } from "./slots.ts";

const slots = (limit: number | null) => new Slots(() => limit);

/** Waits, and writes down when it gets its place. */
function waiting(all: Slots, name: string, units: number, got: string[], keyId = "k") {
  const releases: (() => void)[] = [];
  const stop = all.wait("p", units, keyId, (release) => {
    got.push(name);
    releases.push(release);
  });
  return { stop, release: () => releases[0]?.() };
}

test("as many units as the limit are given, and a unit given back twice is free once", () => {
  const all = slots(2);
  const first = all.take("p", 1, "k");
  expect(all.take("p", 1, "k")).not.toBeNull();
  expect([all.take("p", 1, "k"), all.hasPlace("p", 1)]).toEqual([null, false]);
  first?.();
  first?.();
  expect(all.take("p", 1, "k")).not.toBeNull();
  expect(all.take("p", 1, "k")).toBeNull();
});

test("without a limit there is always a place, and providers don't share theirs", () => {
  const free = slots(null);
  for (let n = 0; n < 100; n++) expect(free.take("p", 5, "k")).not.toBeNull();
  const one = slots(1);
  one.take("p", 1, "k");
  expect(one.take("q", 1, "k")).not.toBeNull();
});

test("a call of more units than there are runs alone", () => {
  const all = slots(2);
  const large = all.take("p", 4, "k");
  expect([large === null, all.take("p", 1, "k")]).toEqual([false, null]);
  large?.();
  expect(all.take("p", 1, "k")).not.toBeNull();
  expect(all.take("p", 4, "k")).toBeNull();
});

test("who waits gets a place in turn, and nobody who comes later gets it first", () => {
  const all = slots(2);
  const [a, b] = [all.take("p", 1, "k"), all.take("p", 1, "k")];
  const got: string[] = [];
  const large = waiting(all, "large", 2, got);
  waiting(all, "small", 1, got);
  a?.();
  // One unit is free, but the large call was there first.
  expect([got.join(), all.take("p", 1, "k")]).toEqual(["", null]);
  b?.();
  expect(got).toEqual(["large"]);
  large.release();
  expect(got).toEqual(["large", "small"]);
});

test("who stops waiting lets those behind it have what is free", () => {
  const all = slots(2);
  all.take("p", 1, "k");
  const second = all.take("p", 1, "k");
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
  const first = all.take("p", 1, "k");
  const got: string[] = [];
  for (let n = 0; n < 1000; n++) waiting(all, `${n}`, 1, got);
  first?.();
  expect(got).toEqual(["0"]);
});

test("a key with many calls waiting delays another's single one by one turn", () => {
  const all = slots(1);
  const first = all.take("p", 1, "flood");
  const got: string[] = [];
  const held = new Map<string, { release: () => void }>();
  const queue = (name: string, keyId: string) => held.set(name, waiting(all, name, 1, got, keyId));
  for (let n = 0; n < 5; n++) queue(`f${n}`, "flood");
  queue("a0", "a");
  queue("b0", "b");
  first?.();
  for (let n = 0; n < 6; n++) held.get(got.at(-1) ?? "")?.release();
  expect(got).toEqual(["a0", "b0", "f0", "f1", "f2", "f3", "f4"]);
});

test("who has fewer places than the others gets the next one", () => {
  const all = slots(4);
  const flood = Array.from({ length: 4 }, () => all.take("p", 1, "flood"));
  const got: string[] = [];
  for (let n = 0; n < 4; n++) waiting(all, `f${n}`, 1, got, "flood");
  for (let n = 0; n < 2; n++) waiting(all, `a${n}`, 1, got, "a");
  for (const release of flood) release?.();
  expect(got).toEqual(["a0", "a1", "f0", "f1"]);
});

test("keys that ask one call at a time and one that floods share alike", () => {
  const all = slots(2);
  const served = new Map<string, number>();
  const running: { keyId: string; release: () => void }[] = [];
  const ask = (keyId: string): void => {
    const granted = (release: () => void) => {
      served.set(keyId, (served.get(keyId) ?? 0) + 1);
      running.push({ keyId, release });
    };
    const release = all.take("p", 1, keyId);
    if (release === null) all.wait("p", 1, keyId, granted);
    else granted(release);
  };
  for (let n = 0; n < 1000; n++) ask("flood");
  for (const keyId of ["a", "b", "c"]) ask(keyId);
  for (let n = 0; n < 400; n++) {
    const ended = running.shift();
    ended?.release();
    if (ended !== undefined && ended.keyId !== "flood") ask(ended.keyId);
  }
  for (const count of served.values()) expect(count).toBeGreaterThanOrEqual(80);
});
