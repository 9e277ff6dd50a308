import { expect, test } from "bun:test";
import { Kept } from "./kept.ts";

/** Asks for some by their names, of which each takes as much work; tells which had to be made. */
function made(most: number, mostWork: number, names: string, work: (name: string) => number) {
  const kept = new Kept<string>(most, mostWork);
  return [...names].filter((name) => {
    let isNew = false;
    const value = kept.get(name, () => {
      isNew = true;
      return { value: `of ${name}`, work: work(name) };
    });
    expect(value).toBe(`of ${name}`);
    return isNew;
  });
}

test("no more are kept than may be: those that were used last", () => {
  expect(made(2, 100, "abab", () => 1).join("")).toBe("ab");
  expect(made(2, 100, "abaca", () => 1).join("")).toBe("abc");
  expect(made(2, 100, "abcab", () => 1).join("")).toBe("abcab");
});

test("what they took together is bounded too, and what was forgotten counts no more", () => {
  expect(made(9, 100, "abab", () => 60).join("")).toBe("abab");
  expect(made(9, 100, "abcabc", () => 33).join("")).toBe("abc");
  expect(made(9, 100, "abXab", (name) => (name === "X" ? 100 : 10)).join("")).toBe("abXab");
  expect(made(9, 100, "Xaaba", (name) => (name === "X" ? 500 : 40)).join("")).toBe("Xab");
});
