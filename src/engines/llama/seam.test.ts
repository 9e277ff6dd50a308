import { expect, test } from "bun:test";
import { Seam, type SeamVocabulary } from "./seam.ts";

/** Texts of the tokens, by their ids; an empty one is a control token. */
function vocabularyOf(
  texts: readonly string[],
): SeamVocabulary<number> & { id(text: string): number } {
  const all = texts.map((text) => new TextEncoder().encode(text));
  const begins = (own: Uint8Array, bytes: Uint8Array) =>
    bytes.every((byte, index) => own[index] === byte);
  const tokens = [...texts.keys()];
  return {
    bytes: (token) => all[token] ?? new Uint8Array(),
    beginnings: (bytes, shorter) =>
      tokens.filter((token) => {
        const own = all[token] ?? new Uint8Array();
        if (own.length === 0) return false;
        return begins(own, bytes) || (shorter && begins(bytes, own));
      }),
    id: (text) => texts.indexOf(text),
  };
}

const vocabulary = vocabularyOf(["", " The", " cap", "it", "al", " capital", "i", " ", "\n", "is"]);
const tokens = (...texts: string[]) => texts.map((text) => vocabulary.id(text));
const names = (allowed: ReadonlySet<number>) =>
  [...allowed].map((token) => new TextDecoder().decode(vocabulary.bytes(token))).sort();
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Makes the tokens one after the other; what each of them adds, and what was allowed before it. */
function make(seam: Seam<number>, ...texts: string[]): string[] {
  return texts.map((each) => {
    if (seam.open) expect(names(seam.allowed())).toContain(each);
    return text(seam.take(vocabulary.bytes(vocabulary.id(each))));
  });
}

test("the last word is taken back, with the space in front of it, and no more", () => {
  expect(new Seam(tokens(" The", " cap", "it"), 0, false, vocabulary).taken).toBe(2);
  expect(new Seam(tokens(" The", " cap", " "), 0, false, vocabulary).taken).toBe(1);
  expect(new Seam(tokens(" The", "\n"), 0, false, vocabulary).taken).toBe(1);
  expect(new Seam([], 0, false, vocabulary).taken).toBe(0);
});

test("a very long word is taken back in part, a control token and what has to stay never", () => {
  const long = [...tokens(" cap"), ...Array<number>(20).fill(vocabulary.id("it"))];
  expect(new Seam(long, 0, false, vocabulary).taken).toBe(8);
  expect(new Seam(tokens(" The", "", "it"), 0, false, vocabulary).taken).toBe(1);
  expect(new Seam(tokens("it"), 1, false, vocabulary).taken).toBe(0);
});

test("the word may come as it was read, or as a longer token, and only the new part is given", () => {
  const cut = () => new Seam(tokens(" The", " cap", "i"), 0, false, vocabulary);
  expect(names(cut().allowed())).toEqual([" cap", " capital"]);
  expect(make(cut(), " capital", "is")).toEqual(["tal", "is"]);
  expect(make(cut(), " cap", "it", "al")).toEqual(["", "t", "al"]);
  expect(make(cut(), " cap", "is")).toEqual(["", "s"]);
  expect(make(cut(), " cap", "i", "it")).toEqual(["", "", "it"]);
});

test("where the likeliest token is taken, any piece of the word may come again", () => {
  const cut = () => new Seam(tokens(" The", " cap", "i"), 0, true, vocabulary);
  expect(names(cut().allowed())).toEqual([" ", " cap", " capital"]);
});

test("a space at the end is neither doubled nor lost", () => {
  const cut = () => new Seam(tokens(" The", " "), 0, false, vocabulary);
  expect(names(cut().allowed())).toEqual([" ", " The", " cap", " capital"]);
  expect(make(cut(), " capital")).toEqual(["capital"]);
});

test("after the seam anything may come", () => {
  const seam = new Seam(tokens(" The"), 0, false, vocabulary);
  expect(make(seam, " The")).toEqual([""]);
  expect(seam.open).toBe(false);
});
