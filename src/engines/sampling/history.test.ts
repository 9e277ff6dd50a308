import { expect, test } from "bun:test";
import { distributionOf } from "../../../test/engines/small-distributions.ts";
import { Candidates } from "./candidates.ts";
import { dry, prolonged } from "./dry.ts";
import { completions, noRepeatNgram } from "./no-repeat-ngram.ts";
import { countPenalties, repetitionPenalty } from "./penalties.ts";
import { lastTokens, SeenTokens } from "./seen-tokens.ts";
import { SequenceBreakers } from "./sequence-breakers.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The logits of tokens 0, 1, 2… after a change; null for those that are out. */
function after(logits: readonly number[], change: (candidates: Candidates) => void) {
  const candidates = new Candidates(logits.length);
  candidates.take(distributionOf(logits), null);
  change(candidates);
  const { ids, logits: changed, size } = candidates;
  const found = logits.map((_, token) => changed[ids.subarray(0, size).indexOf(token)] ?? null);
  for (let at = 1; at < size; at++)
    expect(changed[at] ?? 0).toBeLessThanOrEqual(changed[at - 1] ?? 0);
  return found;
}

function seen(prompt: readonly number[], generated: readonly number[]): SeenTokens {
  const tokens = new SeenTokens();
  tokens.follow({ prompt, generated, completionTokens: generated.length });
  return tokens;
}

test("the repetition penalty divides positive logits and multiplies the others, prompt's tokens too", () => {
  const of = seen([0], [1, 1]);
  expect(after([4, -2, 1], (c) => repetitionPenalty(c, 2, of))).toEqual([2, -4, 1]);
});

test("presence and frequency penalties are over the answer alone", () => {
  const of = seen([0], [1, 1, 2]);
  expect(after([4, 3, 2], (c) => countPenalties(c, 0.5, 0.25, of))).toEqual([4, 2, 1.25]);
});

test("what is seen is counted once, as the answer grows", () => {
  const generated = [5];
  const tokens = new SeenTokens();
  for (const next of [6, 6, 7]) {
    tokens.follow({ prompt: [1], generated, completionTokens: 0 });
    generated.push(next);
  }
  expect([...tokens.inAnswer]).toEqual([
    [5, 1],
    [6, 2],
  ]);
  expect([...tokens.anywhere]).toEqual([1, 5, 6]);
});

test("no n-gram comes twice: what would complete one is out", () => {
  expect([...completions(3, [1, 2, 3, 9, 1, 2])]).toEqual([3]);
  expect([...completions(2, [1, 2, 1, 3, 1])]).toEqual([2, 3]);
  expect([...completions(1, [1, 2])]).toEqual([1, 2]);
  expect([...completions(3, [1])]).toEqual([]);
  expect([...completions(2, [])]).toEqual([]);
  expect(after([3, 2, 1], (c) => noRepeatNgram(c, 2, [0, 1, 0]))).toEqual([3, null, 1]);
  expect(after([3, 2], (c) => noRepeatNgram(c, 1, [0, 1]))).toEqual([3, 2]);
});

test("DRY finds what would prolong a repetition, and how long that is", () => {
  // llama.cpp's example: a b c c b c y a b c
  const text = [..."abccbcyabc"].map((letter) => letter.charCodeAt(0));
  const found = [...prolonged(text, 1, text.length)].map(([token, length]) => [
    String.fromCharCode(token),
    length,
  ]);
  expect(found).toEqual([
    ["c", 3],
    ["b", 1],
    ["y", 2],
  ]);
  expect([...prolonged(text, 3, text.length).values()]).toEqual([3]);
  expect([...prolonged(text, 1, 2).values()]).toEqual([2, 1, 2]);
  expect(prolonged(text, 3, 2).size).toBe(0);
});

test("DRY finds the same as looking at every place, in any text", () => {
  for (let seed = 1; seed < 300; seed++) {
    const tokens = Array.from({ length: seed % 40 }, (_, at) => (at * at * seed) % 3);
    const slow = new Map<number, number>();
    for (let end = 0; end + 1 < tokens.length; end++) {
      let same = 0;
      while (same <= end && tokens[end - same] === tokens[tokens.length - 1 - same]) same++;
      const next = tokens[end + 1] ?? 0;
      if (same > 0) slow.set(next, Math.max(same, slow.get(next) ?? 0));
    }
    expect([...prolonged(tokens, 1, tokens.length)].sort()).toEqual([...slow].sort());
  }
});

test("DRY takes multiplier · base ^ (length - allowed) off, and leaves breakers alone", () => {
  const options = { multiplier: 2, base: 3, allowedLength: 2 };
  const tokens = [0, 1, 2, 3, 0, 1, 2];
  const none = () => false;
  // 0 1 2 is there before 3: length 3.
  expect(after([9, 9, 9, 9], (c) => dry(c, options, tokens, 7, none))).toEqual([9, 9, 9, 3]);
  expect(after([9, 9, 9, 9], (c) => dry(c, options, tokens, 2, none))).toEqual([9, 9, 9, 7]);
  expect(after([9, 9, 9, 9], (c) => dry(c, options, tokens, 7, (token) => token === 3))).toEqual([
    9, 9, 9, 9,
  ]);
  const long = Array.from({ length: 2000 }, () => 1);
  const far = after([9, 9], (c) => dry(c, options, long, 2000, none));
  expect(far[0]).toBe(9);
  expect(far[1]).toBe(9 - 10_000);
});

test("the last tokens are the answer's and then the prompt's", () => {
  const history = { prompt: [1, 2, 3], generated: [4, 5], completionTokens: 2 };
  expect(lastTokens(history, null)).toEqual([1, 2, 3, 4, 5]);
  expect(lastTokens(history, 1)).toEqual([5]);
  expect(lastTokens(history, 3)).toEqual([3, 4, 5]);
  expect(lastTokens(history, 99)).toEqual([1, 2, 3, 4, 5]);
});

test("a sequence breaker is found inside a token, over several, and in half characters", () => {
  const words = ["Hello", ":", " wor", "ld", "User", ":", "", "é".slice(0, 1)];
  const make = () =>
    new SequenceBreakers([":", "world", "é"], (token) => bytes(words[token] ?? ""));
  const after = (prompt: readonly number[]): number =>
    make().tokensAfter({ prompt, generated: [], completionTokens: 0 });
  expect(after([0, 1, 0, 0])).toBe(2);
  expect(after([2, 3, 0])).toBe(1);
  expect(after([0, 2, 3])).toBe(0);
  expect(after([0, 2, 6, 3, 6, 0])).toBe(2);
  expect(after([0, 2, 0, 3])).toBe(4);
  expect(after([])).toBe(0);
  const breakers = make();
  expect(breakers.within(1)).toBe(true);
  expect(breakers.within(2)).toBe(false);
  const halves = [Uint8Array.of(0xc3), Uint8Array.of(0xa9), bytes("x")];
  const inBytes = new SequenceBreakers(["é", ""], (token) => halves[token] ?? bytes(""));
  const history = { prompt: [0, 1, 2], generated: [2], completionTokens: 1 };
  expect(inBytes.tokensAfter(history)).toBe(2);
  expect(new SequenceBreakers([], () => bytes("")).tokensAfter(history)).toBe(4);
});

test("where the last breaker ended is the same however the answer came, token by token or at once", () => {
  const words = ["a", "b", "ab", "ba:", "::", "", "c"];
  const text = (token: number): Uint8Array => bytes(words[token] ?? "");
  for (let seed = 1; seed < 300; seed++) {
    const tokens = Array.from({ length: 40 }, (_, at) => (at * at * seed + at) % words.length);
    const growing = new SequenceBreakers(["ab:", "b", "ca"], text);
    const prompt = tokens.slice(0, seed % 7);
    const generated: number[] = [];
    for (const token of tokens.slice(prompt.length)) {
      const history = { prompt, generated, completionTokens: 0 };
      const whole = new SequenceBreakers(["ab:", "b", "ca"], text);
      expect(growing.tokensAfter(history)).toBe(whole.tokensAfter(history));
      generated.push(token);
    }
  }
});

test("as many breakers as may be and the longest n-grams cost next to nothing a token", () => {
  const prompt = Array.from({ length: 32_000 }, () => 3);
  const texts = Array.from({ length: 64 }, (_, at) => `${"z".repeat(39)}${at}`);
  const breakers = new SequenceBreakers(texts, () => bytes("zzz"));
  const generated: number[] = [];
  breakers.tokensAfter({ prompt, generated, completionTokens: 0 });
  let began = performance.now();
  for (let count = 0; count < 100; count++) {
    generated.push(3);
    breakers.tokensAfter({ prompt, generated, completionTokens: count });
  }
  expect((performance.now() - began) / 100).toBeLessThan(5);
  began = performance.now();
  completions(16_000, prompt);
  expect(performance.now() - began).toBeLessThan(100);
});
