import { expect, test } from "bun:test";
import { GatewayError } from "../../contract/errors.ts";
import { tokensOf } from "./inputs.ts";

/** A letter is a token; 1 and 2 stand around a text. */
const vocabulary = {
  info: { contextSize: 6, dimensions: 4, vocabularySize: 200 },
  before: [1],
  after: [2],
  encode: (text: string) => [...text].map((letter) => letter.charCodeAt(0)),
};
const of = (text: string | readonly number[], truncateTo: number | null = null) =>
  tokensOf(vocabulary, text, truncateTo, "input[3]");

test("a text has its tokens with those around it, tokens are taken as they are", () => {
  expect(of("abc")).toEqual([1, 97, 98, 99, 2]);
  expect(of("")).toEqual([1, 2]);
  expect(of([97, 98])).toEqual([97, 98]);
});

test("what is too long is refused with its place, or keeps its beginning and what is around it", () => {
  const refused = (text: string | number[]) => {
    try {
      return of(text);
    } catch (error) {
      return error instanceof GatewayError ? [error.kind, error.param] : error;
    }
  };
  expect(refused("abcde")).toEqual(["context_length_exceeded", "input[3]"]);
  expect(refused([9, 9, 9, 9, 9, 9, 9])).toEqual(["context_length_exceeded", "input[3]"]);
  expect(of("abcdefgh", 6)).toEqual([1, 97, 98, 99, 100, 2]);
  expect(of("abcdefgh", 4)).toEqual([1, 97, 98, 2]);
  expect(of("abcdefgh", 1)).toEqual([1]);
  expect(of([3, 4, 5, 6, 7, 8, 9], 5)).toEqual([3, 4, 5, 6, 7]);
  expect(of("ab", 6)).toEqual([1, 97, 98, 2]);
});

test("a token that is none is refused with its place in the text", () => {
  expect(() => of([1, 200])).toThrow("There is no token 200: this model's vocabulary has 200");
  try {
    of([1, 200]);
  } catch (error) {
    expect(error).toMatchObject({ param: "input[3][1]" });
  }
});
