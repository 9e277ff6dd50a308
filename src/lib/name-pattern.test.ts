import { expect, test } from "bun:test";
import { isOnList } from "./name-pattern.ts";

const on = (list: string[], ...names: string[]) => isOnList(list, names);

test.each([
  [["*"], "anything/at-all", true],
  [[], "anything", false],
  [["qwen/qwen3-8b"], "Qwen/Qwen3-8B", true],
  [["qwen/qwen3-8b"], "Qwen/Qwen3-8B-AWQ", false],
  [["qwen/*"], "Qwen/Qwen3-8B", true],
  [["qwen/*"], "evil/qwen/x", false],
  [["*-8b"], "Qwen/Qwen3-8B", true],
  [["*-8b"], "Qwen/Qwen3-8B-AWQ", false],
  [["a*a"], "a", false],
  [["a*a"], "aa", true],
  [["a*b*c"], "a-b-c", true],
  [["a*bb*b"], "abb", false],
  [["a.c"], "abc", false],
])("%j and %s: %p", (list, name, result) => expect(on(list, name)).toBe(result));

test("one of several names is enough", () => {
  expect(on(["tinyllama"], "TinyLlama/TinyLlama-1.1B", "tinyllama")).toBe(true);
});

test("a pattern made to be slow is not", () => {
  const began = performance.now();
  expect(on([`${"*a".repeat(5000)}*b`], "a".repeat(100_000))).toBe(false);
  expect(performance.now() - began).toBeLessThan(1000);
});
