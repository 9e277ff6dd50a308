import { describe, expect, test } from "bun:test";
import { detectThinking, inThinking } from "./markers.ts";
import { type Thought, ThoughtReader } from "./read-thoughts.ts";

const THINK = { open: "<think>", close: "</think>" };

function read(pieces: readonly string[], inside: boolean, call: string | null): Thought[] {
  const reader = new ThoughtReader(THINK, inside, call);
  const said: Thought[] = [];
  for (const piece of [...pieces.flatMap((text) => reader.push(text)), ...reader.end()]) {
    const last = said.at(-1);
    if (last?.kind === piece.kind)
      said[said.length - 1] = { ...piece, text: last.text + piece.text };
    else said.push(piece);
  }
  return said;
}

const reasoning = (text: string): Thought => ({ kind: "reasoning", text });
const content = (text: string): Thought => ({ kind: "content", text });

const CASES: readonly [string, string, Thought[], inside?: boolean, call?: string][] = [
  ["no thinking", " 2 < 3 and 4 \n", [content(" 2 < 3 and 4 \n")]],
  [
    "thinking, then an answer",
    "<think>\nSay  hi.\n\n So be it.\n</think>\n\nHi! \n",
    [reasoning("Say  hi.\n\n So be it."), content("Hi! \n")],
  ],
  ["white space before it", "\n <think>a</think>b", [reasoning("a"), content("b")]],
  [
    "thinking that the prompt opens",
    "I see.</think> Yes",
    [reasoning("I see."), content("Yes")],
    true,
  ],
  [
    "a mark again that the prompt has",
    "<think>I see.</think>Yes",
    [reasoning("I see."), content("Yes")],
    true,
  ],
  ["thinking of nothing", "<think>\n\n</think>\n\nYes", [content("Yes")]],
  ["thinking that nothing closes", "<think>One\ntwo </thi", [reasoning("One\ntwo </thi")]],
  ["a mark that the answer ends inside of", "<thi", [content("<thi")]],
  [
    "a mark in the middle of an answer",
    "The <think> tag</think>",
    [content("The <think> tag</think>")],
  ],
  [
    "two of them",
    "<think>a</think>b<think>c</think>",
    [reasoning("a"), content("b<think>c</think>")],
  ],
  [
    "a call in the middle of thinking",
    "I call it: <tool_call>{}</tool_call>",
    [reasoning("I call it:"), content("<tool_call>{}</tool_call>")],
    true,
    "<tool_call>",
  ],
];

describe.each(CASES)("%s", (_, text, expected, inside = false, call) => {
  test("is told apart, however it is cut", () => {
    expect(read([text], inside, call ?? null)).toEqual(expected);
    expect(read([...text], inside, call ?? null)).toEqual(expected);
    for (let at = 1; at < text.length; at++)
      expect(read([text.slice(0, at), text.slice(at)], inside, call ?? null)).toEqual(expected);
  });
});

test("thinking is given while it comes", () => {
  const reader = new ThoughtReader(THINK, false);
  expect(reader.push("<think>One ")).toEqual([reasoning("One")]);
  expect(reader.inside).toBe(true);
  expect(reader.push("two</th")).toEqual([reasoning(" two")]);
  expect(reader.push("ink>")).toEqual([]);
  expect(reader.inside).toBe(false);
  expect(reader.push("\nthree")).toEqual([content("three")]);
});

test("marks are found in a template, and whether a prompt leaves thinking open", () => {
  expect(detectThinking("{% if x %}<think>\n{% endif %}")).toEqual(THINK);
  expect(detectThinking("{{ content.split('[/THINK]') }}")?.open).toBe("[THINK]");
  expect(detectThinking("{{ m.content }}")).toBeNull();
  expect(inThinking(THINK, "<|assistant|><think>\n", "")).toBe(true);
  expect(inThinking(THINK, "<|assistant|><think>\n\n</think>\n\n", "")).toBe(false);
  expect(inThinking(THINK, "<think> is a tag<|assistant|>", "")).toBe(false);
  expect(inThinking(THINK, "<|assistant|>", "<think>Let me")).toBe(true);
  expect(inThinking(THINK, "<|assistant|><think>", "I know.</think>It")).toBe(false);
});
