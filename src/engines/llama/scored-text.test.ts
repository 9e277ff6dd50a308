import { expect, test } from "bun:test";
import { ScoredText } from "./scored-text.ts";

const score = (text: string) => ({
  text,
  bytes: [...Buffer.from(text)],
  shown: true,
  logprob: -1,
  top: [],
});
const texts = (scores: readonly { text: string }[]) => scores.map(({ text }) => text);

function made(...tokens: string[]): ScoredText {
  const scored = new ScoredText();
  for (const token of tokens) scored.add(score(token), Buffer.byteLength(token));
  return scored;
}

test("a token's score goes out with the last of its text", () => {
  const scored = made("Hel", "lo ", "you");
  expect(texts(scored.shown("Hello"))).toEqual(["Hel"]);
  expect(texts(scored.shown(" y"))).toEqual(["lo "]);
  expect(texts(scored.shown("ou"))).toEqual(["you"]);
});

test("tokens without text go out with those before them", () => {
  const scored = made("a", "", "b");
  expect(texts(scored.shown("a"))).toEqual(["a", ""]);
});

test("a stop string's own tokens are not told, one that it began inside of is", () => {
  const scored = made("one", "\nEN", "D");
  expect(texts(scored.shown("one\n"))).toEqual(["one"]);
  expect(texts(scored.ended(true))).toEqual(["\nEN"]);
});

test("at another end all are told, also a half character's", () => {
  const scored = made("a", "\ufffd");
  expect(texts(scored.shown("a"))).toEqual(["a"]);
  expect(texts(scored.ended(false))).toEqual(["\ufffd"]);
});
