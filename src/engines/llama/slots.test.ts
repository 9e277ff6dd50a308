import { expect, test } from "bun:test";
import { chooseSlot, type FreeSlot, type Reuse } from "./slots.ts";

const slot = (tokens: readonly number[], lastUsed: number, more: Partial<FreeSlot> = {}) => ({
  tokens,
  lastUsed,
  owner: "key_a",
  reproducible: 0,
  ...more,
});
const wish = (tokens: readonly number[], reuse: Reuse = "any") => {
  return { tokens, owner: "key_a", reuse };
};
/** Tokens from 1 to `last`. */
const upTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1);

test("the slot that holds most of the prompt is taken", () => {
  const free = [slot([1, 2], 5), slot([1, 2, 3, 9], 9), slot([], 0, { owner: null })];
  expect(chooseSlot(free, wish([1, 2, 3, 4]))).toEqual({ index: 1, keep: 3 });
});

test("what another key asked is never gone on from, however much of it is the same", () => {
  const free = [slot([1, 2, 3, 4], 1, { owner: "key_b" }), slot([1, 9], 2)];
  expect(chooseSlot(free, wish([1, 2, 3, 4]))).toEqual({ index: 1, keep: 1 });
  expect(chooseSlot(free.slice(0, 1), wish([1, 2, 3, 4]))).toEqual({ index: 0, keep: 0 });
});

test("without anything in common the slot unused the longest is taken", () => {
  const free = [slot([7], 5), slot([8], 2)];
  expect(chooseSlot(free, wish([1, 2]))).toEqual({ index: 1, keep: 0 });
});

test("a long conversation is not dropped for the few tokens every prompt begins with", () => {
  const free = [slot([1, 2, ...Array<number>(100).fill(3)], 1), slot([], 0, { owner: null })];
  expect(chooseSlot(free, wish([1, 2, 4]))).toEqual({ index: 1, keep: 0 });
});

test("the prompt's last token is evaluated even if the slot holds it", () => {
  const free = [slot([1, 2, 3, 4], 0)];
  expect(chooseSlot(free, wish([1, 2, 3]))).toEqual({ index: 0, keep: 2 });
});

test("an answer that can reuse nothing spares what others may reuse", () => {
  const free = [slot([1, 2, 3], 9), slot([1], 5)];
  expect(chooseSlot(free, wish([1, 2, 3, 4], "none"))).toEqual({ index: 1, keep: 0 });
});

test("a reproducible answer keeps whole groups of what was evaluated as its prompt would be", () => {
  const keep = (reproducible: number, prompt: readonly number[]) =>
    chooseSlot([slot(upTo(40), 0, { reproducible })], wish(prompt, "reproducible"))?.keep;
  expect(keep(0, upTo(60))).toBe(0);
  expect(keep(24, upTo(60))).toBe(24);
  expect(keep(24, [...upTo(19), 7, ...upTo(30)])).toBe(16);
  // The last chunk is a whole group and a rest.
  expect([keep(40, upTo(40)), keep(40, upTo(41)), keep(40, upTo(9)), keep(40, upTo(3))]).toEqual([
    24, 32, 0, 0,
  ]);
});

test("no free slot, no choice", () => {
  expect(chooseSlot([], wish([1]))).toBeNull();
});
