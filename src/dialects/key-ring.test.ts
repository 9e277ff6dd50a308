import { expect, test } from "bun:test";
import { KeyRing } from "./key-ring.ts";

test("keys take turns", () => {
  const ring = new KeyRing(3);
  expect([0, 1, 2, 3].map(() => ring.take("m", 0))).toEqual([0, 1, 2, 0]);
});

test("one that met a limit rests as long as it was told, for that model", () => {
  const ring = new KeyRing(2);
  expect(ring.limited(0, "m", 7000, 100)).toBe(7100);
  expect([1, 2, 3].map(() => ring.take("m", 200))).toEqual([1, 1, 1]);
  expect(new Set([1, 2].map(() => ring.take("other", 200)))).toEqual(new Set([0, 1]));
  expect(ring.take("m", 7100)).toBe(0);
});

test("told nothing, it rests longer each time, until it works again", () => {
  const ring = new KeyRing(1);
  let now = 0;
  const rests: number[] = [];
  for (let i = 0; i < 9; i++) {
    const until = ring.limited(0, "m", null, now);
    rests.push((until - now) / 1000);
    now = until;
  }
  expect(rests).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
  ring.worked(0, "m", now);
  expect(ring.limited(0, "m", null, now)).toBe(now + 5000);
});

test("an answer that was under way does not end a rest", () => {
  const ring = new KeyRing(1);
  ring.limited(0, "m", 5000, 0);
  ring.worked(0, "m", 100);
  expect([ring.take("m", 100), ring.until("m", 100)]).toEqual([null, 5000]);
  expect(ring.until("m", 5000)).toBeNull();
});

test("one refusal is not held against the key for all models, three are, and success between them clears it", () => {
  const ring = new KeyRing(1);
  ring.refused(0, "a", true, 0);
  ring.refused(0, "b", true, 0);
  expect(ring.take("c", 1)).toBe(0);
  ring.worked(0, "c", 1);
  ring.refused(0, "c", true, 1);
  expect(ring.take("d", 1)).toBe(0);
  ring.refused(0, "d", true, 1);
  ring.refused(0, "e", true, 1);
  expect(ring.take("f", 1)).toBeNull();
  expect(ring.until("f", 1)).toBe(300_001);
});

test("a provider without keys has none, and none that rests", () => {
  const ring = new KeyRing(0);
  expect([ring.take("m", 0), ring.until("m", 0)]).toEqual([null, null]);
});

test("many calls that meet one limit at the same time are one refusal", () => {
  const ring = new KeyRing(1);
  for (let call = 0; call < 20; call++) ring.limited(0, "m", null, call);
  expect(ring.until("m", 20)).toBe(5019);
  expect(ring.limited(0, "m", null, 5019)).toBe(15_019);
});
