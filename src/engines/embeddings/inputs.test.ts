import { expect, test } from "bun:test";
import { GatewayError } from "../../contract/errors.ts";
import { idsOf, tokensOf } from "./inputs.ts";

/** A letter is a token; 1 and 2 stand around a text. */
const vocabulary = {
  info: { contextSize: 6, dimensions: 4, vocabularySize: 200 },
  before: [1],
  after: [2],
  slices: (text: string) => text.match(/.{1,3}/gu) ?? [],
  encode: (text: string) => [...text].map((letter) => letter.charCodeAt(0)),
};
const of = async (text: string | readonly number[], truncateTo: number | null = null) =>
  typeof text === "string"
    ? tokensOf(vocabulary, text, truncateTo, "input[3]")
    : [...idsOf(text, vocabulary.info, truncateTo, "input[3]")];

test("a text has its tokens with those around it, tokens are taken as they are", async () => {
  expect(await of("abc")).toEqual([1, 97, 98, 99, 2]);
  expect(await of("")).toEqual([1, 2]);
  expect(await of([97, 98])).toEqual([97, 98]);
});

test("what is too long is refused with its place, or keeps its beginning and what is around it", async () => {
  const refused = async (text: string | number[]) => {
    try {
      return await of(text);
    } catch (error) {
      return error instanceof GatewayError ? [error.kind, error.param] : error;
    }
  };
  expect(await refused("abcde")).toEqual(["context_length_exceeded", "input[3]"]);
  expect(await refused([9, 9, 9, 9, 9, 9, 9])).toEqual(["context_length_exceeded", "input[3]"]);
  expect(await of("abcdefgh", 6)).toEqual([1, 97, 98, 99, 100, 2]);
  expect(await of("abcdefgh", 4)).toEqual([1, 97, 98, 2]);
  expect(await of("abcdefgh", 1)).toEqual([1]);
  expect(await of([3, 4, 5, 6, 7, 8, 9], 5)).toEqual([3, 4, 5, 6, 7]);
  expect(await of("ab", 6)).toEqual([1, 97, 98, 2]);
});

test("a token that is none is refused with its place in the text", async () => {
  const refused: unknown = await of([1, 200]).then(
    () => null,
    (error: unknown) => error,
  );
  expect(refused).toMatchObject({
    message: "There is no token 200: this model's vocabulary has 200, from 0.",
    param: "input[3][1]",
  });
});

test("what is past the limit is not tokenised, and others have a turn after every slice", async () => {
  const slices: number[] = [];
  const turn = (characters: number) => void slices.push(characters);
  expect(await tokensOf(vocabulary, "abcdefghijkl", 6, "input", turn)).toHaveLength(6);
  expect(slices).toEqual([3, 3]);
  await expect(tokensOf(vocabulary, "abcdefghijkl", null, "input", turn)).rejects.toThrow(
    "at least 8 tokens",
  );
});
