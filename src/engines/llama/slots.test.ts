import { expect, test } from "bun:test";
import { chooseSlot } from "./slots.ts";

const slot = (tokens: readonly number[], lastUsed: number, owner: string | null = "key_a") => ({
  tokens,
  lastUsed,
  owner,
});
const wish = (tokens: readonly number[], reuse = true) => ({ tokens, owner: "key_a", reuse });

test("the slot that holds most of the prompt is taken", () => {
  const free = [slot([1, 2], 5), slot([1, 2, 3, 9], 9), slot([], 0, null)];
  expect(chooseSlot(free, wish([1, 2, 3, 4]))).toEqual({ index: 1, keep: 3 });
});

test("what another key asked is never gone on from, however much of it is the same", () => {
  const free = [slot([1, 2, 3, 4], 1, "key_b"), slot([1, 9], 2)];
  expect(chooseSlot(free, wish([1, 2, 3, 4]))).toEqual({ index: 1, keep: 1 });
  expect(chooseSlot(free.slice(0, 1), wish([1, 2, 3, 4]))).toEqual({ index: 0, keep: 0 });
});

test("without anything in common the slot unused the longest is taken", () => {
  const free = [slot([7], 5), slot([8], 2)];
  expect(chooseSlot(free, wish([1, 2]))).toEqual({ index: 1, keep: 0 });
});

test("a long conversation is not dropped for the few tokens every prompt begins with", () => {
  const free = [slot([1, 2, ...Array<number>(100).fill(3)], 1), slot([], 0, null)];
  expect(chooseSlot(free, wish([1, 2, 4]))).toEqual({ index: 1, keep: 0 });
});

test("the prompt's last token is evaluated even if the slot holds it", () => {
  const free = [slot([1, 2, 3, 4], 0)];
  expect(chooseSlot(free, wish([1, 2, 3]))).toEqual({ index: 0, keep: 2 });
});

test("an answer that has to be reproducible keeps nothing and spares what others may reuse", () => {
  const free = [slot([1, 2, 3], 9), slot([1], 5)];
  expect(chooseSlot(free, wish([1, 2, 3, 4], false))).toEqual({ index: 1, keep: 0 });
});

test("no free slot, no choice", () => {
  expect(chooseSlot([], wish([1]))).toBeNull();
});
