import { expect, test } from "bun:test";
import { chooseSlot } from "./slots.ts";

test("the slot that holds most of the prompt is taken", () => {
  const free = [
    { tokens: [1, 2], lastUsed: 5 },
    { tokens: [1, 2, 3, 9], lastUsed: 9 },
    { tokens: [], lastUsed: 0 },
  ];
  expect(chooseSlot(free, [1, 2, 3, 4], true)).toEqual({ index: 1, keep: 3 });
});

test("without anything in common the slot unused the longest is taken", () => {
  const free = [
    { tokens: [7], lastUsed: 5 },
    { tokens: [8], lastUsed: 2 },
  ];
  expect(chooseSlot(free, [1, 2], true)).toEqual({ index: 1, keep: 0 });
});

test("a long conversation is not dropped for the few tokens every prompt begins with", () => {
  const free = [
    { tokens: [1, 2, ...Array<number>(100).fill(3)], lastUsed: 1 },
    { tokens: [], lastUsed: 0 },
  ];
  expect(chooseSlot(free, [1, 2, 4], true)).toEqual({ index: 1, keep: 0 });
});

test("the prompt's last token is evaluated even if the slot holds it", () => {
  expect(chooseSlot([{ tokens: [1, 2, 3, 4], lastUsed: 0 }], [1, 2, 3], true)).toEqual({
    index: 0,
    keep: 2,
  });
});

test("an answer that has to be reproducible keeps nothing and spares what others may reuse", () => {
  const free = [
    { tokens: [1, 2, 3], lastUsed: 9 },
    { tokens: [1], lastUsed: 5 },
  ];
  expect(chooseSlot(free, [1, 2, 3, 4], false)).toEqual({ index: 1, keep: 0 });
});

test("no free slot, no choice", () => {
  expect(chooseSlot([], [1], true)).toBeNull();
});
