import { expect, test } from "bun:test";
import { type AnswerRules, ChatAnswer, deltaOf, messageOf, type Said } from "./chat-answer.ts";
import { NO_FORMAT } from "./chat-format.ts";
import type { ToolUse } from "./tools/use.ts";

const TEXT =
  "<think>\nThe city is END known.\n</think>\n\nI'll ask. <tool_call>\n" +
  '{"name": "weather", "arguments": {"city": "END"}}\n</tool_call>\n<tool_call>\n' +
  '{"name": "weather", "arguments": {"city": "Oslo"}}\n</tool_call>\nThat is the END of it';
const use: ToolUse = {
  tools: [],
  callable: new Set(["weather"]),
  required: false,
  parallel: true,
  legacy: false,
};
const rules: AnswerRules = {
  format: { ...NO_FORMAT, thinking: { open: "<think>", close: "</think>" } },
  use,
  thinking: false,
  begun: false,
  thinksFirst: false,
  formAtOnce: false,
  stop: ["END"],
  thoughtStop: [],
  includeStop: false,
  minTokens: 0,
};
const newId = (index: number) => `call_${index}`;

function read(pieces: readonly string[], more: Partial<AnswerRules> = {}): object {
  const answer = new ChatAnswer({ ...rules, ...more });
  const said: Said[] = [];
  for (const [index, piece] of pieces.entries()) {
    said.push(...answer.push(piece, index + 1));
    if (answer.over) break;
  }
  said.push(...answer.end());
  const legacy = more.use?.legacy === true;
  return { ...messageOf(said, newId, legacy), finish: answer.finish("stop"), over: answer.over };
}

const call = (id: number, city: string): object => ({
  id: `call_${id}`,
  type: "function",
  function: { name: "weather", arguments: `{"city": "${city}"}` },
});

test("thinking, words and calls are told apart, and only words are ended by a stop string", () => {
  const expected: object = {
    role: "assistant",
    content: "I'll ask.\nThat is the ",
    refusal: null,
    reasoning_content: "The city is END known.",
    reasoning: "The city is END known.",
    tool_calls: [call(0, "END"), call(1, "Oslo")],
    finish: "tool_calls",
    over: true,
  };
  expect(read([TEXT])).toEqual(expected);
  expect(read([...TEXT])).toEqual(expected);
  for (let at = 1; at < TEXT.length; at++)
    expect(read([TEXT.slice(0, at), TEXT.slice(at)])).toEqual(expected);
});

test("a stop string that ends in white space ends the words in front of a call", () => {
  const call = '<tool_call>\n{"name": "weather", "arguments": {}}\n</tool_call>';
  const text = `Let me look.\n\n${call}`;
  for (const stop of [["\n\n"], ["look.\n"], [".\n\n<to"], ["\n"]]) {
    const expected =
      stop[0] === ".\n\n<to"
        ? { content: "Let me look.", finish: "tool_calls" }
        : { content: stop[0] === "look.\n" ? "Let me " : "Let me look.", finish: "stop" };
    for (const pieces of [[text], [...text], ["Let me look.\n", `\n${call}`]])
      expect([stop, read(pieces, { stop })]).toEqual([stop, expect.objectContaining(expected)]);
  }
});

test("a call after the stop string, though it came with it, is no part of the answer", () => {
  const text = 'Wait. END <tool_call>{"name": "weather", "arguments": {}}</tool_call>';
  const expected = { content: "Wait. ", finish: "stop", over: true };
  for (const pieces of [[text], [...text]]) {
    expect(read(pieces)).toMatchObject(expected);
    expect(read(pieces)).not.toHaveProperty("tool_calls");
  }
});

test("how far it is known what its text is, and where a stop string began", () => {
  const answer = new ChatAnswer(rules);
  const settled = ["<thi", "nk>a</think>", "\n\nHi E", "!", " <tool", "s> an E", "ND of"].map(
    (text) => {
      answer.push(text);
      return answer.settled;
    },
  );
  const at = (text: string) => "<think>a</think>\n\nHi E! <tools> an END of".indexOf(text);
  expect(settled).toEqual([0, 16, at("E!"), at(" <tools"), at("<tools"), at("END"), at("END")]);
  expect(answer.over).toBe(true);
});

test("no stop string ends words that have too few tokens", () => {
  const pieces = ["a END", " b END", " c END", " d"];
  for (const use of [null, rules.use]) {
    const contentAt = (minTokens: number) => read(pieces, { minTokens, use });
    expect(contentAt(0)).toMatchObject({ content: "a " });
    expect(contentAt(1)).toMatchObject({ content: "a END b " });
    expect(contentAt(2)).toMatchObject({ content: "a END b END c " });
    expect(contentAt(4)).toMatchObject({ content: pieces.join("") });
  }
});

test("one call is all that an answer has where several are not wanted", () => {
  const single = read([...TEXT], { use: { ...use, parallel: false } });
  expect(single).toMatchObject({ content: "I'll ask.", tool_calls: [call(0, "END")], over: true });
  const settledIn = (pieces: readonly string[]) => {
    const answer = new ChatAnswer({ ...rules, use: { ...use, parallel: false } });
    for (const piece of pieces) answer.push(piece);
    return answer.settled;
  };
  for (let at = 0; at < TEXT.length; at++) {
    const pieces = [TEXT.slice(0, at), TEXT.slice(at)];
    expect(read(pieces, { use: { ...use, parallel: false } })).toEqual(single);
    expect(settledIn(pieces)).toBe(TEXT.indexOf("}}") + 2);
  }
  const legacy = read([...TEXT], { use: { ...use, parallel: false, legacy: true } });
  expect(legacy).toMatchObject({
    function_call: { name: "weather", arguments: '{"city": "END"}' },
    finish: "function_call",
  });
  expect(legacy).not.toHaveProperty("tool_calls");
});

test("a form that comes at once has no thinking, however it begins", () => {
  const text = "<think>abc</think>12";
  const formed = { use: null, stop: [], thinksFirst: true };
  for (const pieces of [[text], [...text]]) {
    expect(read(pieces, { ...formed, formAtOnce: true })).toMatchObject({ content: text });
    expect(read(pieces, formed)).toMatchObject({ content: "12", reasoning: "abc" });
  }
  // No thinking has white space in front of it where a form may.
  expect(read([..."\n<think>x"], formed)).toMatchObject({ content: "\n<think>x" });
});

test("a required call is the answer from its first character, and content is null", () => {
  const text = '{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>';
  const required = { use: { ...use, required: true } };
  expect(read([...text], required)).toMatchObject({
    content: null,
    tool_calls: [call(0, "Rome")],
    finish: "tool_calls",
  });
  expect(messageOf([], newId, false, true)).toMatchObject({ content: null });
  expect(messageOf([], newId, false)).toMatchObject({ content: "" });
});

test("without tools, what looks like a call is words", () => {
  const text = '<tool_call>{"name": "weather"}</tool_call>';
  expect(read([...text], { use: null })).toMatchObject({ content: text, finish: "stop" });
});

test("an answer that was begun has no thinking but what it is in the middle of", () => {
  const text = "<think>a</think>b";
  expect(read([text], { begun: true })).toMatchObject({ content: text });
  expect(read(["a</think>b"], { begun: true, thinking: true })).toMatchObject({
    content: "b",
    reasoning: "a",
  });
});

test("a call's first delta has its id, type and name, the others more of its arguments", () => {
  const said: Said[] = [
    { kind: "call", index: 1, name: "f" },
    { kind: "arguments", index: 1, text: "{}" },
    { kind: "reasoning", text: "hm" },
  ];
  expect(said.map((each) => deltaOf(each, newId, false))).toEqual([
    {
      tool_calls: [
        { index: 1, id: "call_1", type: "function", function: { name: "f", arguments: "" } },
      ],
    },
    { tool_calls: [{ index: 1, function: { arguments: "{}" } }] },
    { reasoning_content: "hm", reasoning: "hm" },
  ]);
  expect(said.slice(0, 2).map((each) => deltaOf(each, newId, true))).toEqual([
    { function_call: { name: "f", arguments: "" } },
    { function_call: { arguments: "{}" } },
  ]);
});

test("where nothing announces calls, what comes after thinking is none", () => {
  const syntax = { ...NO_FORMAT.tools.syntax, begin: "", between: null, end: "" };
  const format = { ...rules.format, tools: { ...NO_FORMAT.tools, syntax } };
  const call = '{"name": "weather", "arguments": {}}';
  expect(read([...call], { format })).toMatchObject({ content: null, finish: "tool_calls" });
  expect(read([...`<think>Hm</think>${call}`], { format })).toMatchObject({ content: call });
});

test("a form, or a required call, stands behind thinking that may be there, with all its white space", () => {
  const text = "<think>Hm, <tool_call> it is.</think>\n\n \n{}";
  for (const written of [text, text.slice(text.indexOf(" \n{}"))])
    for (const pieces of [[written], written.split("")])
      expect(read(pieces, { use: null, thinksFirst: true })).toMatchObject({ content: " \n{}" });
  const call = '<tool_call>\n{"name": "weather", "arguments": {}}\n</tool_call>';
  const rules = { use: { ...use, required: true }, thinksFirst: true };
  const thought = "<think>I <tool_call> it</think>\n\n";
  for (const pieces of [[`${thought}${call}`], `${thought}${call}`.split("")])
    expect(read(pieces, rules)).toMatchObject({
      content: null,
      reasoning: "I <tool_call> it",
      finish: "tool_calls",
    });
  expect(read([call], rules)).toMatchObject({ content: null, finish: "tool_calls" });
});

test("what ends a model's turn ends its words and its thinking, and no call", () => {
  const rules = { stop: ["<|user|>"], thoughtStop: ["<|user|>"] };
  const given = '{"name": "weather", "arguments": {"city": "<|user|>"}}';
  expect(read([...`<tool_call>${given}</tool_call>Hi<|user|>x`], rules)).toMatchObject({
    content: "Hi",
    tool_calls: [call(0, "<|user|>")],
  });
  const thought = read([..."<think>I see <|user|>More</think>x"], rules);
  expect(thought).toMatchObject({ reasoning: "I see ", content: "", over: true });
});
