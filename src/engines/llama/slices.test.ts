import { expect, test } from "bun:test";
import { apartInByteLevel, apartInSentencePiece, TextSlicer } from "./slices.ts";

const sentencePiece = new TextSlicer({
  apart: apartInSentencePiece(["▁", "▁▁", "ab", "ba", "▁a", "<s>"]),
  specials: ["<s>"],
  swallowing: [],
});
const byteLevel = new TextSlicer({
  apart: apartInByteLevel,
  specials: ["<s>", "<a b>", "<l>"],
  swallowing: ["<l>"],
});

/** Characters before and after each cut of a text made long by repeating. */
function cuts(slicer: TextSlicer, part: string): string[] {
  const text = part.repeat(40_000 / part.length);
  const slices = [...slicer.slices(text)];
  expect(slices.join("")).toBe(text);
  return slices.slice(1).map((slice, index) => `${slices[index]?.slice(-1)}|${slice.slice(0, 1)}`);
}

test("SentencePiece texts are cut where no token joins what stands there", () => {
  expect(new Set(cuts(sentencePiece, "ab "))).toEqual(new Set(["b| "]));
  expect(new Set(cuts(sentencePiece, "鑿"))).toEqual(new Set(["鑿|鑿"]));
  expect(cuts(sentencePiece, "鑿").length).toBe(4);
  expect(cuts(sentencePiece, "ab")).toEqual([]);
  expect(cuts(sentencePiece, " ")).toEqual([]);
});

test("byte-level texts are cut between a word and the space before the next", () => {
  expect(new Set(cuts(byteLevel, "word, 12 "))).toEqual(new Set());
  expect(new Set(cuts(byteLevel, "one two"))).toEqual(new Set(["e| "]));
});

test("a cut is before a special token, and never in one or behind one", () => {
  expect(new Set(cuts(byteLevel, "<s>"))).toEqual(new Set([">|<"]));
  expect(new Set(cuts(byteLevel, "<a b>"))).toEqual(new Set([">|<"]));
  expect(new Set(cuts(sentencePiece, "鑿<s>"))).toEqual(new Set(["鑿|<"]));
  expect(new Set(cuts(byteLevel, " <s>"))).toEqual(new Set([" |<"]));
});

test("a special token that swallows the spaces in front of it is not cut from them", () => {
  expect(cuts(byteLevel, " <l>")).toEqual([]);
  expect(new Set(cuts(byteLevel, "x<l>"))).toEqual(new Set(["x|<"]));
});

test("a character of two units is never cut", () => {
  expect(
    [...sentencePiece.slices("x🙂".repeat(10_000))].every((slice) => slice.isWellFormed()),
  ).toBe(true);
});
