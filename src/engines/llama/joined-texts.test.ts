import { expect, test } from "bun:test";
import { JoinedTexts } from "./joined-texts.ts";
import { SpecialTexts } from "./special-texts.ts";

/** As many as a large vocabulary has, and alike as those are. */
const RESERVED = Array.from({ length: 1_000 }, (_, i) => `<|reserved_${200_000 + i}|>`);
const met = (specials: readonly string[], texts: readonly string[]) => {
  const joined = new JoinedTexts(new SpecialTexts(specials));
  for (const text of texts) joined.add(text);
  return joined;
};

test("an end is open where another text, or a short one among several, goes on with a special text", () => {
  const joined = met(["<|end|>", "<|end"], ["a <|e", "nd|> b"]);
  expect(joined.openEnd("a <|e")).toBe("<|e");
  expect(joined.openEnd("a <|")).toBe("");
  expect(met(["<|end|>"], ["d|>", "n"]).openEnd("<|e")).toBe("<|e");
  expect(met(["<|end|>"], ["n", "d and so on"]).openEnd("<|e")).toBe("<|e");
  expect(met(["<|end|>"], ["and so on"]).openEnd("<|e")).toBe("");
});

test("of two ends that could be completed it is the longer one", () => {
  const joined = met(["<<a>", "<b>"], ["a> and", "b> and"]);
  expect(joined.openEnd("x <<")).toBe("<<");
  expect(joined.openEnd("x <")).toBe("<");
  expect(met(["<<a>", "<b>"], ["b> and"]).openEnd("x <<")).toBe("<");
});

test("however many texts end alike, special texts are looked through once", () => {
  // What begins as their rests do and is the rest of none: each has to be followed a while.
  const texts = [...Array.from({ length: 1_000 }, () => "a <|"), "<|reserved_2", "reserved_2000x"];
  const joined = met(RESERVED, texts);
  for (const text of texts) joined.openEnd(text);
  const once = joined.steps;
  expect(once).toBeLessThan(10_000);
  for (let time = 0; time < 20; time++) for (const text of texts) joined.openEnd(text);
  expect(joined.steps).toBe(once);
});

test("ends that differ take no more than the special texts are long, each of them once", () => {
  const [first = ""] = RESERVED;
  const texts = Array.from({ length: first.length - 1 }, (_, i) => first.slice(0, i + 1));
  const joined = met(RESERVED, [...texts, ...RESERVED.map((text) => `${text.slice(2, -2)}x`)]);
  for (let time = 0; time < 100; time++) for (const text of texts) joined.openEnd(text);
  expect(joined.steps).toBeLessThan(RESERVED.join("").length);
});
