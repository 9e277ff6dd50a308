import { expect, test } from "bun:test";
import { Seeded } from "../../../test/seeded.ts";
import { machineOf } from "./guide.ts";
import { GuideMemory } from "./guide-memory.ts";
import type { Machine, Position } from "./machine.ts";
import type { GuideSpec } from "./spec.ts";
import { Work } from "./work.ts";

const OPEN_OBJECT: GuideSpec = { kind: "json_object" };

/** Wherever a text can go, all over the place; how many different positions there were. */
function wander(machine: Machine, from: Position, seed: number, steps: number): number {
  const random = new Seeded(seed);
  const seen = new Set<Position>();
  let at = from;
  for (let step = 0; step < steps; step++) {
    const next = machine.step(at, 0x20 + random.below(0x5f));
    at = next ?? at;
    if (step % 40 === 39) at = from;
    seen.add(at);
  }
  return seen.size;
}

function begun(machine: Machine, text: string): Position {
  let at: Position | null = machine.start;
  for (const byte of new TextEncoder().encode(text)) at = at && machine.step(at, byte);
  if (at === null) throw new Error("the text does not fit");
  return at;
}

test("what all forms keep has one bound, and each goes on where it was when it is passed", () => {
  const most = 4_000_000;
  const memory = new GuideMemory(most);
  const machines = [1, 2, 3, 4].map(() => machineOf(OPEN_OBJECT, new Work(), memory));
  const places = machines.map((machine) => begun(machine, '{"'));
  let seen = 0;
  for (let round = 0; round < 4; round++)
    for (const [index, machine] of machines.entries()) {
      const place = places[index];
      if (place === undefined) throw new Error("no place");
      seen += wander(machine, place, round * 10 + index, 2_000);
      expect(memory.bytes).toBeLessThanOrEqual(most);
    }
  // More than there is room for: some were forgotten.
  expect(seen * 2_000).toBeGreaterThan(most);
  for (const [index, machine] of machines.entries()) {
    let at: Position | null = places[index] ?? null;
    for (const byte of new TextEncoder().encode('a": 1}')) at = at && machine.step(at, byte);
    expect(at?.accepts).toBe(true);
  }
});

test("one that is forgotten keeps none of what it led to", () => {
  const memory = new GuideMemory();
  const machine = machineOf(OPEN_OBJECT, new Work(), memory);
  const place = begun(machine, '{"');
  for (let again = 0; again < 3; again++) {
    expect(wander(machine, place, again, 500)).toBeGreaterThan(100);
    expect(place.next.some((next) => next != null)).toBe(true);
    machine.forget();
    expect([place.next.length, machine.start.next.length, memory.bytes]).toEqual([0, 0, 0]);
  }
});
