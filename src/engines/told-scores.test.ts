import { expect, test } from "bun:test";
import { type AnswerRules, ChatAnswer } from "./chat-answer.ts";
import { NO_FORMAT } from "./chat-format.ts";
import { ToldScores } from "./told-scores.ts";

const score = (text: string) => ({
  text,
  bytes: [...Buffer.from(text)],
  shown: text !== "",
  logprob: -1,
  top: [],
});

const rules: AnswerRules = {
  format: { ...NO_FORMAT, thinking: { open: "<think>", close: "</think>" } },
  use: null,
  thinking: false,
  begun: false,
  thinksFirst: false,
  formAtOnce: false,
  thoughtStop: [],
  stop: ["END"],
  includeStop: false,
  minTokens: 0,
};

/** The tokens that are told at each step of an answer, whose steps have some tokens each. */
function told(steps: readonly string[][], showsThinking = true, more: Partial<AnswerRules> = {}) {
  const answer = new ChatAnswer({ ...rules, ...more });
  const scores = new ToldScores(showsThinking);
  const out: string[][] = [];
  for (const tokens of steps) {
    const { thinking } = answer;
    answer.push(tokens.join(""));
    scores.add(tokens.join(""), tokens.map(score), thinking);
    out.push(scores.upTo(answer.settled, answer.thinking).map(({ text }) => text));
    if (answer.over) break;
  }
  answer.end();
  const end = answer.over ? answer.settled : Number.POSITIVE_INFINITY;
  out.push(scores.ended(end, answer.thinking).map(({ text }) => text));
  return out;
}

const one = (...tokens: string[]): string[][] => tokens.map((token) => [token]);

test("a stop string's tokens are not told, one that it begins inside of is", () => {
  const tokens = one("One", " and E", "N", "D", " more");
  expect(told(tokens)).toEqual([["One"], [], [], [], [" and E"]]);
  expect(told(one("One ", "E", "N", "D"))).toEqual([["One "], [], [], [], []]);
  expect(told(one("One ", "E", "N", "D"), true, { includeStop: true }).flat()).toEqual([
    "One ",
    "E",
    "N",
    "D",
  ]);
});

test("what might have been a stop string is told when it is none", () => {
  expect(told(one("a ", "E", "N", "O"))).toEqual([["a "], [], [], ["E", "N", "O"], []]);
  expect(told(one("a ", "E"))).toEqual([["a "], [], ["E"]]);
});

test("tokens that come in one step are told up to the stop string too", () => {
  expect(told([["a", " b", " E", "ND", " c"]])).toEqual([["a", " b"], [" E"]]);
});

test("hidden thinking's tokens are hidden too, its marks included", () => {
  const tokens = one("<", "think>", "Hm", ".", "</", "think>", "\n", "Yes", ".");
  expect(told(tokens, false).flat()).toEqual(["\n", "Yes", "."]);
  expect(told(tokens, true).flat()).toEqual(tokens.flat());
  expect(told(one("Hm", "</think>", "Yes"), false, { thinking: true }).flat()).toEqual(["Yes"]);
  expect(told(one("Never", " closed"), false, { thinking: true }).flat()).toEqual([]);
});
