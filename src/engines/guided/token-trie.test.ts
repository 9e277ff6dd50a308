import { expect, test } from "bun:test";
import { Seeded } from "../../../test/seeded.ts";
import { layOut, type TokenTrie, vocabularyOf } from "./token-trie.ts";

const encoder = new TextEncoder();
const END = 3;
const texts = ["a", "ab", "", "abc", "b", "ab", "ä", '"', "ba\n", " a", "a"];
const tokens = texts.map((text) => encoder.encode(text));

/** The tokens of a tree, each with the bytes on its way. */
function read({ size, byte, depth, from, tokens: all }: TokenTrie): [string, number][] {
  const path: number[] = [];
  const found: [string, number][] = [];
  for (let at = 0; at < size; at++) {
    path.length = depth[at] ?? 0;
    path.push(byte[at] ?? 0);
    for (const token of all.subarray(from[at], from[at + 1]))
      found.push([new TextDecoder().decode(Uint8Array.from(path)), token]);
  }
  return found;
}

test("a tree has each token at the end of its bytes; none without bytes, none that ends an answer", () => {
  const { all, special } = vocabularyOf(tokens, [END]);
  const expected = texts
    .map((text, token): [string, number] => [text, token])
    .filter(([text, token]) => text !== "" && token !== END);
  expect(read(all).toSorted((a, b) => a[1] - b[1])).toEqual(expected);
  expect(read(special).map(([text]) => text)).toEqual(['"', "ba\n"]);
});

test("what is below a place of the tree is a range, whatever the order of the tokens was", () => {
  const random = new Seeded(7);
  const letter = () => String.fromCharCode(97 + random.below(4));
  const words = Array.from({ length: 500 }, () =>
    Array.from({ length: 1 + random.below(5) }, letter).join(""),
  );
  const { all } = vocabularyOf(
    words.map((word) => encoder.encode(word)),
    [],
  );
  for (let at = 0; at < all.size; at++) {
    const depth = all.depth[at] ?? 0;
    const deeper = [...all.depth.subarray(at + 1)].findIndex((other) => other <= depth);
    expect(all.end[at] ?? 0).toBe(deeper === -1 ? all.size : at + 1 + deeper);
  }
  expect(read(all).length).toBe(words.length);
});

test("a large vocabulary is laid out in many small pieces", () => {
  const random = new Seeded(3);
  const many = Array.from({ length: 50_000 }, () => encoder.encode(` t${random.below(1e9)}`));
  const work = layOut(many, []);
  const counts: number[] = [];
  for (let step = work.next(); !step.done; step = work.next()) counts.push(1);
  expect(counts.length).toBeGreaterThan(90);
});
