import { describe, expect, test } from "bun:test";
import { embeddingsWanted, readEmbeddings } from "./embedding-list.ts";

/** Numbers that 32-bit floats hold exactly, and little-endian by hand. */
const NUMBERS = [0.5, -2, 0.015625];
const BASE64 = Buffer.from("0000003f000000c00000803c", "hex").toString("base64");

test.each([
  ["one text", 1],
  [["one", "two"], 2],
  [[1, 2, 3], 1],
  [[[1, 2], [3]], 2],
])("%j asks for as many embeddings as texts: %i", (input, wanted) => {
  expect(embeddingsWanted(input)).toBe(wanted);
});

describe("embeddings", () => {
  test.each([
    ["float", NUMBERS, NUMBERS],
    ["float", BASE64, NUMBERS],
    ["base64", NUMBERS, BASE64],
    ["base64", BASE64, BASE64],
  ] as const)("asked for as %s and answered as %j are given as %j", (form, sent, given) => {
    const data = [{ object: "embedding", index: 0, embedding: sent, extra: true }];
    expect(readEmbeddings(data, 1, form)).toEqual([
      { object: "embedding", index: 0, embedding: given },
    ]);
  });

  test("come in the order of the inputs", () => {
    const data = [
      { index: 1, embedding: [2] },
      { index: 0, embedding: [1] },
    ];
    expect(readEmbeddings(data, 2, "float")?.map(({ embedding }) => embedding)).toEqual([[1], [2]]);
  });

  test("without an index are taken in the order they came in", () => {
    const data = [{ embedding: [1] }, { embedding: [2] }];
    expect(readEmbeddings(data, 2, "float")?.map(({ index }) => index)).toEqual([0, 1]);
  });

  test.each([
    ["none", []],
    ["one too few", [{ embedding: [1] }]],
    ["one too many", [{ embedding: [1] }, { embedding: [1] }, { embedding: [1] }]],
    [
      "the same one twice",
      [
        { index: 0, embedding: [1] },
        { index: 0, embedding: [1] },
      ],
    ],
    [
      "an index that was not asked for",
      [
        { index: 0, embedding: [1] },
        { index: 2, embedding: [1] },
      ],
    ],
    ["an empty one", [{ embedding: [] }, { embedding: [1] }]],
    ["half a float", [{ embedding: "AAA=" }, { embedding: [1] }]],
    ["words", [{ embedding: ["x"] }, { embedding: [1] }]],
    ["no list", { embedding: [1] }],
  ])("are no answer to two inputs when there is %s", (_, data) => {
    expect(readEmbeddings(data, 2, "float")).toBeNull();
  });
});
