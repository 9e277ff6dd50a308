import { expect, test } from "bun:test";
import { Seeded } from "../../../test/seeded.ts";
import { createGuides, machineOf } from "./guide.ts";
import { GuideError } from "./guide-error.ts";
import type { Position } from "./machine.ts";
import type { GuideSpec } from "./spec.ts";
import { SpecError } from "./spec-error.ts";
import { tokensAt } from "./token-mask.ts";
import { vocabularyOf } from "./token-trie.ts";

const LETTERS = [..."abcdefghijklmnopqrstuvwxyz"];
const WORDS = LETTERS.flatMap((a) => LETTERS.flatMap((b) => LETTERS.map((c) => a + b + c)));
const encoder = new TextEncoder();
const tokens = [...'{}":,[] ', ...LETTERS, ...WORDS].map((text) => encoder.encode(text));
const vocabulary = vocabularyOf(tokens, []);

/** Any number of some of the letters, or of others, or … */
function ambiguous(ways: number): string {
  const random = new Seeded(1);
  const some = () => LETTERS.filter(() => random.below(2) === 0).join("");
  return Array.from({ length: ways }, () => `[a${some()}]*`).join(" | ");
}

/** Steps that finding a mask after this text takes. */
function stepsAfter(spec: GuideSpec, text: string): number {
  const machine = machineOf(spec);
  let at: Position | null = machine.start;
  for (const byte of encoder.encode(text)) at = at === null ? null : machine.step(at, byte);
  if (at === null) throw new Error("the text does not fit");
  const before = machine.spent;
  tokensAt(at, machine, vocabulary);
  return machine.spent - before;
}

test("a form that can be read in many ways from its beginning is refused before an answer is begun", () => {
  const making = (ways: number) => () => {
    machineOf({ kind: "grammar", source: `root ::= ${ambiguous(ways)}` });
  };
  expect(making(10)).not.toThrow();
  expect(making(100)).toThrow(SpecError);
});

test("one that becomes so later ends its answer, and takes nobody's time", () => {
  const source = `root ::= "hello" (${ambiguous(100)})`;
  const guide = createGuides(vocabularyOf(tokens, [])).compile({ kind: "grammar", source });
  const mask = new Uint32Array(Math.ceil(tokens.length / 32));
  guide.allow(mask);
  guide.acceptBytes(encoder.encode("hello"));
  const began = performance.now();
  expect(() => guide.allow(mask)).toThrow(GuideError);
  expect(performance.now() - began).toBeLessThan(1_000);
});

test("in the middle of any text the vocabulary's words are not looked at one by one", () => {
  expect(stepsAfter({ kind: "json_object" }, '{"a": "')).toBeLessThan(1_000);
  expect(stepsAfter({ kind: "json_object" }, '{"')).toBeLessThan(1_000);
  expect(stepsAfter({ kind: "json_object" }, '{"a": 1, "')).toBeLessThan(1_000);
});

/** Two characters of each block of 64 of Chinese, the whole ones and their first two bytes. */
const CHINESE = Array.from({ length: 330 }, (_, i) => 0x4e00 + 64 * i).flatMap((point) =>
  [point, point + 1].flatMap((each) => {
    const bytes = encoder.encode(String.fromCodePoint(each));
    return [bytes, bytes.subarray(0, 2)];
  }),
);

test("characters of many bytes that a form doesn't tell apart are looked at once for all", () => {
  const chinese = vocabularyOf([...tokens, ...CHINESE], []);
  const grammar = (root: string): GuideSpec => ({ kind: "grammar", source: `root ::= ${root}` });
  for (const [root, text] of [
    ['"<a>" [^<]* "</a>"', "<a>x"],
    ['("- " [^\\n]+ "\\n")+', "- x"],
    ['(.* "a" .*) | (.* "b" .*)', "x"],
  ] as const) {
    const machine = machineOf(grammar(root));
    let at: Position | null = machine.start;
    for (const byte of encoder.encode(text)) at = at === null ? null : machine.step(at, byte);
    if (at === null) throw new Error("the text does not fit");
    const before = machine.spent;
    const mask = tokensAt(at, machine, chinese);
    expect(machine.spent - before).toBeLessThan(5_000);
    for (const token of [tokens.length, tokens.length + 1, tokens.length + CHINESE.length - 1])
      expect(((mask[token >> 5] ?? 0) >>> (token & 31)) & 1).toBe(1);
  }
});
