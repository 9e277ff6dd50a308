import { expect, test } from "bun:test";
import { Seeded } from "../../test/seeded.ts";
import { FairTurns } from "./fair-turns.ts";

/**
 * Places with calls of so many milliseconds each: a flood that always waits, and others that ask one at
 * a time and come back `awayMs` after each answer. Returns how many of each were answered.
 */
function simulate(
  places: number,
  others: number,
  awayMs: number,
  callMs: () => number,
  lastsMs: number,
): Map<string, number> {
  const turns = new FairTurns<string>();
  const answered = new Map<string, number>();
  const events: { at: number; act: () => void }[] = [];
  const after = (at: number, act: () => void) => events.push({ at, act });
  let now = 0;
  let id = 0;
  const grant = (): void => {
    for (let next = turns.next(); next !== null && turns.running < places; next = turns.next()) {
      const { keyId, item } = next;
      turns.begin(keyId, 1, item);
      after(now + callMs(), () => {
        turns.end(keyId, 1);
        answered.set(keyId, (answered.get(keyId) ?? 0) + 1);
        if (keyId === "flood") ask(keyId);
        else after(now + awayMs, () => ask(keyId));
        grant();
      });
    }
  };
  const ask = (keyId: string): void => {
    id += 1;
    turns.add(keyId, `${keyId} ${id}`);
    grant();
  };
  for (let n = 0; n < 100; n++) ask("flood");
  for (let n = 0; n < others; n++) after(1, () => ask(`key ${n}`));
  while (now < lastsMs) {
    events.sort((a, b) => b.at - a.at);
    const event = events.pop();
    if (event === undefined) break;
    now = event.at;
    event.act();
  }
  return answered;
}

test("three keys that ask one at a time get as much as one that floods", () => {
  for (const places of [1, 2, 3]) {
    for (let seed = 1; seed <= 5; seed++) {
      const random = new Seeded(seed);
      const answered = simulate(places, 3, 2, () => 30 + random.below(20), 20_000);
      const all = [...answered.values()].reduce((sum, count) => sum + count, 0);
      expect(answered.size).toBe(4);
      for (const count of answered.values()) expect(count / all).toBeGreaterThan(0.8 / 4);
    }
  }
});

test("who was away saves nothing up", () => {
  const turns = new FairTurns<number>();
  turns.add("a", 0);
  for (let n = 0; n < 50; n++) {
    turns.begin("a", 1, n);
    turns.add("a", n + 1);
    turns.end("a", 1);
  }
  for (let n = 100; n < 110; n++) turns.add("new", n);
  const order: string[] = [];
  for (let n = 0; n < 4; n++) {
    const next = turns.next();
    if (next === null) break;
    order.push(next.keyId);
    turns.begin(next.keyId, 1, next.item);
    turns.end(next.keyId, 1);
  }
  // One turn for being new, and then by turns; `a` has only one more.
  expect(order).toEqual(["new", "a", "new", "new"]);
});

test("who has fewer units running comes first", () => {
  const turns = new FairTurns<string>();
  turns.begin("large", 4);
  turns.begin("small", 1);
  turns.add("large", "l");
  turns.add("small", "s");
  expect(turns.next()?.item).toBe("s");
});

test("nothing is remembered of keys that are gone", () => {
  const turns = new FairTurns<number>();
  for (let n = 0; n < 1000; n++) {
    turns.begin(`key ${n}`, 1);
    turns.end(`key ${n}`, 1);
  }
  expect([turns.running, turns.waiting, turns.next(), turns.longest()]).toEqual([0, 0, null, null]);
});

test("a turn that took more than it was begun with counts for what it took", () => {
  const turns = new FairTurns<string>();
  for (const item of ["first", "second", "third"]) turns.add("slow", item);
  for (const item of ["first", "second", "third"]) turns.add("quick", item);
  const order: string[] = [];
  for (let next = turns.next(); next !== null; next = turns.next()) {
    const { keyId, item } = next;
    order.push(keyId);
    turns.begin(keyId, 1, item);
    if (keyId === "slow") turns.charge(keyId, 9);
    turns.end(keyId, 1);
  }
  expect(order).toEqual(["slow", "quick", "quick", "quick", "slow", "slow"]);
});
