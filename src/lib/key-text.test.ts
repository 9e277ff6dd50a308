import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { makeKeyText, readKeyText } from "./key-text.ts";

test("a made key is whole, and says its own prefix", () => {
  for (let i = 0; i < 100; i++) {
    const { text, prefix } = makeKeyText(randomBytes);
    expect(text).toMatch(/^sk-covey-[0-9A-Za-z]{8}-[0-9A-Za-z]{43}$/);
    expect(readKeyText(text)).toEqual({ prefix, whole: true });
  }
});

test("no letter is likelier than another, though 256 bytes make no whole number of alphabets", () => {
  const counts = new Map<string, number>();
  for (let i = 0; i < 8000; i++) {
    const { text } = makeKeyText(randomBytes);
    for (const letter of text.slice("sk-covey-".length, -6).replace("-", "")) {
      counts.set(letter, (counts.get(letter) ?? 0) + 1);
    }
  }
  expect(counts.size).toBe(62);
  const values = [...counts.values()];
  // 5,800 of each, with a deviation of 76; a byte's remainder alone would give 1.25.
  expect(Math.max(...values) / Math.min(...values)).toBeLessThan(1.15);
});

test("every single wrong character, and two that changed places, are told from a whole key", () => {
  const { text, prefix } = makeKeyText(randomBytes);
  for (let i = text.length - 43; i < text.length; i++) {
    const other = text[i] === "x" ? "y" : "x";
    expect(readKeyText(text.slice(0, i) + other + text.slice(i + 1))).toEqual({
      prefix,
      whole: false,
    });
    const [a = "", b = ""] = [text[i], text[i + 1]];
    if (b !== "" && a !== b) {
      expect(readKeyText(text.slice(0, i) + b + a + text.slice(i + 2)).whole).toBe(false);
    }
  }
  expect(readKeyText(text.slice(0, -1))).toEqual({ prefix: null, whole: false });
  expect(readKeyText("sk-other-key")).toEqual({ prefix: null, whole: true });
});
