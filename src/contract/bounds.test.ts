import { expect, test } from "bun:test";
import { boundedJson, excess, MAX_DEPTH, MAX_ITEMS } from "./bounds.ts";

const nested = (levels: number): unknown =>
  JSON.parse(`${'[{"a":'.repeat(levels / 2)}1${"}]".repeat(levels / 2)}`);

test("depth counts arrays and objects alike, and scalars as none", () => {
  expect(excess(1, 0)).toBeNull();
  expect(excess(null, 0)).toBeNull();
  expect(excess([], 0)).toBe("depth");
  expect(excess(nested(10), 10)).toBeNull();
  expect(excess(nested(10), 9)).toBe("depth");
  expect(excess([1, [2], { b: nested(8) }], 9)).toBe("depth");
});

test("a list may have as many items as the longest context has tokens, wherever it stands", () => {
  const list = (length: number): number[] => new Array(length).fill(1);
  expect(excess({ prompt: list(MAX_ITEMS) })).toBeNull();
  expect(excess({ prompt: [list(3), list(MAX_ITEMS + 1)] })).toBe("items");
  const fields = Object.fromEntries(list(MAX_ITEMS + 1).map((value, at) => [`f${at}`, value]));
  expect(excess(fields)).toBe("items");
});

test("a text inside a request is held to the same bounds", () => {
  const brackets = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  expect(boundedJson(brackets(2))).toEqual([[]]);
  expect(boundedJson("null")).toBeNull();
  expect(boundedJson(brackets(MAX_DEPTH))).toBeArray();
  for (const text of [brackets(MAX_DEPTH + 1), brackets(100_000), "[1", "", "undefined"])
    expect(boundedJson(text)).toBeUndefined();
});
