import { expect, test } from "bun:test";
import { markersOf, type TokenFacts } from "./markers.ts";

const plain = { control: false, unknown: false, userDefined: false, ends: false };
const control = (text: string): TokenFacts => ({ ...plain, text, control: true });
const defined = (text: string, ends = false): TokenFacts => ({
  ...plain,
  text,
  userDefined: true,
  ends,
});

test("control tokens are markers, and ordinary ones are not, whatever they look like", () => {
  const tokens = [control("<s>"), control("tool"), { ...plain, text: "<|user|>" }];
  expect(markersOf(tokens, "<|user|>").texts).toEqual(["<s>", "tool"]);
});

test("user-defined tokens that mark turns are covered, in the template or not", () => {
  const turns = ["<|im_start|>", "<start_of_turn>", "[INST]", "<｜User｜>", "### Instruction:"];
  const markers = markersOf(
    [...turns.map((text) => defined(text)), defined("done", true)],
    "### Instruction:\n",
  );
  expect(markers.texts).toEqual([...turns, "done"]);
  expect([...markers.inAnyText]).toEqual([...turns, "done"]);
});

test("user-defined tokens that are only frequent texts stay what they are", () => {
  const frequent = ["  ", "\n\n", "0", "{%", "user", "<h1>"].map((text) => defined(text));
  expect(markersOf(frequent, "{% for m in messages %}  {{ m[0].user }}\n\n").texts).toEqual([]);
});

test("what templates look for in an assistant's message may stand there", () => {
  const template = "{{ content.split('</think>')[-1] }}<tool_call><user>";
  const tokens = ["<think>", "</think>", "<tool_call>", "<user>"].map((text) => defined(text));
  const { texts, ofAssistant } = markersOf(tokens, template);
  expect(texts).toEqual(["</think>", "<tool_call>", "<user>"]);
  expect([...ofAssistant]).toEqual(["</think>", "<tool_call>"]);
});
