import { expect, test } from "bun:test";
import { AnswerText } from "./answer-text.ts";
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
  for (const token of tokens) scored.add(score(token), Buffer.from(token));
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

/** Tokens of bytes, named by them, and the answer's text that holds back these stop strings. */
function spelled(tokens: readonly (readonly number[])[], stops: readonly string[]) {
  const scored = new ScoredText();
  const text = new AnswerText(stops);
  const shown: string[][] = [];
  for (const bytes of tokens) {
    scored.add(score(bytes.join()), Uint8Array.from(bytes));
    const { emit, stopped } = text.push(Uint8Array.from(bytes));
    shown.push(
      texts(stopped ? [...scored.shown(emit), ...scored.ended(true)] : scored.shown(emit)),
    );
  }
  return shown;
}

test("bytes that are no character count as the one that stands for them", () => {
  // 0xff is none; "END" is held back from its first letter on, and never told.
  const tokens = [[0xff], [0x61], [0x45], [0x4e], [0x44]];
  expect(spelled(tokens, ["END"])).toEqual([["255"], ["97"], [], [], []]);
  // A beginning that nothing goes on, before what is held back.
  expect(spelled([[0xe2, 0x82], [0x45], [0x4e], [0x44]], ["END"])).toEqual([
    [],
    ["226,130"],
    [],
    [],
  ]);
});

test("half a character's token goes out with the whole one", () => {
  const smile = [...Buffer.from("🙂")];
  const tokens = [...smile.map((byte) => [byte]), [0x21]];
  expect(spelled(tokens, [])).toEqual([[], [], [], smile.map(String), ["33"]]);
});

test("at another end all are told, also a half character's", () => {
  const scored = made("a");
  scored.add(score("half"), Uint8Array.of(0xc3));
  expect(texts(scored.shown("a"))).toEqual(["a"]);
  expect(texts(scored.ended(false))).toEqual(["half"]);
});
