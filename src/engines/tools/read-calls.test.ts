import { describe, expect, test } from "bun:test";
import { CallReader, type SaidPiece } from "./read-calls.ts";
import { type CallSyntax, HERMES } from "./syntax.ts";

const MISTRAL: CallSyntax = {
  begin: "[TOOL_CALLS] [",
  between: ", ",
  end: "]",
  shape: { kind: "object", name: "name", arguments: "arguments" },
};
const LLAMA: CallSyntax = {
  begin: "",
  between: null,
  end: "",
  shape: { kind: "object", name: "name", arguments: "parameters" },
};
const NAMED: CallSyntax = {
  begin: "[TOOL_CALLS]",
  between: "[TOOL_CALLS]",
  end: "",
  shape: { kind: "named", middle: "[ARGS]" },
};
const DEEPSEEK: CallSyntax = {
  begin: "<calls><call>function<sep>",
  between: "</call>\n<call>function<sep>",
  end: "</call></calls>",
  shape: { kind: "named", middle: "\n```json\n" },
};
const NAMES = new Set(["weather", "time", "weather_week"]);

/** What a reader makes of a text that comes in these pieces, neighbours joined. */
function read(syntax: CallSyntax, pieces: readonly string[], begun = false): SaidPiece[] {
  const reader = new CallReader(syntax, NAMES, { required: begun });
  const said: SaidPiece[] = [];
  const all = [...pieces.flatMap((piece) => reader.push(piece)), ...reader.end()];
  for (const piece of all) {
    const last = said.at(-1);
    if (piece.kind === "content" && last?.kind === "content")
      said[said.length - 1] = { ...last, text: last.text + piece.text };
    else if (piece.kind === "arguments" && last?.kind === "arguments")
      said[said.length - 1] = { ...last, text: last.text + piece.text };
    else said.push(piece);
  }
  return said;
}

const content = (text: string): SaidPiece => ({ kind: "content", text });
const call = (index: number, name: string, args: string): SaidPiece[] => [
  { kind: "call", index, name },
  { kind: "arguments", index, text: args },
];

const CASES: readonly [string, CallSyntax, string, SaidPiece[], begun?: boolean][] = [
  [
    "words alone, with the space at their end",
    HERMES,
    " Hi <there> \n",
    [content(" Hi <there> \n")],
  ],
  [
    "a call after words",
    HERMES,
    'Let me see.\n\n<tool_call>\n{"name": "weather", "arguments": {"city": "Pa\\"}ris"}}\n</tool_call>',
    [content("Let me see."), ...call(0, "weather", '{"city": "Pa\\"}ris"}')],
  ],
  [
    "calls side by side, and words after them",
    HERMES,
    '<tool_call>{"name":"weather","arguments":{}}</tool_call>\n<tool_call>\n{"arguments": {"a": [1, {"b": "]"}]}, "name": "time"}</tool_call>\nDone.',
    [...call(0, "weather", "{}"), ...call(1, "time", '{"a": [1, {"b": "]"}]}'), content("\nDone.")],
  ],
  [
    "a call without arguments, with keys that nobody knows",
    HERMES,
    '<tool_call>{"id": 7, "x": [1], "name": "time"}</tool_call>',
    call(0, "time", "{}"),
  ],
  [
    "a tool that there is not",
    HERMES,
    '<tool_call>\n{"name": "rm", "arguments": {}}\n</tool_call>',
    [content('<tool_call>\n{"name": "rm", "arguments": {}}\n</tool_call>')],
  ],
  [
    "a tag that announces nothing, and then a call",
    HERMES,
    'The <tool_call> tag: <tool_call>{"name":"time","arguments":{}}</tool_call>',
    [content("The <tool_call> tag:"), ...call(0, "time", "{}")],
  ],
  [
    "a call that is cut off in its arguments",
    HERMES,
    '<tool_call>\n{"name": "weather", "arguments": {"city": "Pa',
    call(0, "weather", '{"city": "Pa'),
  ],
  [
    "a call that is cut off in its name",
    HERMES,
    '<tool_call>\n{"name": "weat',
    [content('<tool_call>\n{"name": "weat')],
  ],
  [
    "a call that the prompt begins",
    HERMES,
    '{"name": "time", "arguments": {"zone": "UTC"}}\n</tool_call>',
    call(0, "time", '{"zone": "UTC"}'),
    true,
  ],
  ["a call that the prompt begins, cut off in its name", HERMES, '{"name": "ti', [], true],
  [
    "Mistral's list",
    MISTRAL,
    '[TOOL_CALLS] [{"name": "weather", "arguments": {"city": "Oslo"}, "id": "abcdefghi"}, {"name": "time", "arguments": {}}]',
    [...call(0, "weather", '{"city": "Oslo"}'), ...call(1, "time", "{}")],
  ],
  [
    "Mistral's list without its spaces",
    MISTRAL,
    '[TOOL_CALLS][{"name":"time","arguments":{}},{"name":"time","arguments":{}}]',
    [...call(0, "time", "{}"), ...call(1, "time", "{}")],
  ],
  [
    "Llama's answer that is a call",
    LLAMA,
    '\n{"name": "weather", "parameters": {"city": "Lima"}}',
    call(0, "weather", '{"city": "Lima"}'),
  ],
  [
    "a name after what nobody knows",
    LLAMA,
    '{"city": "Lima", "name": "weather"}\n',
    call(0, "weather", "{}"),
  ],
  ["JSON of something else", LLAMA, '{"city": "Lima"}', [content('{"city": "Lima"}')]],
  [
    "JSON after words",
    LLAMA,
    'Here: {"name": "time", "parameters": {}}',
    [content('Here: {"name": "time", "parameters": {}}')],
  ],
  [
    "names before their arguments",
    NAMED,
    'Ok [TOOL_CALLS]weather[ARGS]{"city": "Rome"}[TOOL_CALLS]weather_week[ARGS]{}',
    [content("Ok"), ...call(0, "weather", '{"city": "Rome"}'), ...call(1, "weather_week", "{}")],
  ],
  [
    "DeepSeek's marks",
    DEEPSEEK,
    '<calls><call>function<sep>time\n```json\n{"a": 1}</call>\n<call>function<sep>weather\n```json\n{}</call></calls>',
    [...call(0, "time", '{"a": 1}'), ...call(1, "weather", "{}")],
  ],
];

describe.each(CASES)("%s", (_, syntax, text, expected, begun = false) => {
  test("is read as what it is", () => {
    expect(read(syntax, [text], begun)).toEqual(expected);
  });

  test("comes out the same however it is cut", () => {
    expect(read(syntax, [...text], begun)).toEqual(expected);
    for (let at = 1; at < text.length; at++)
      expect(read(syntax, [text.slice(0, at), text.slice(at)], begun)).toEqual(expected);
  });
});

test("arguments are given while they come, and words as soon as they can't begin a call", () => {
  const reader = new CallReader(HERMES, NAMES);
  expect(reader.push("One <")).toEqual([content("One")]);
  expect(reader.push("b> two <tool_call>\n{")).toEqual([content(" <b> two")]);
  expect(reader.push('"name": "time", "arguments": {"zo')).toEqual(call(0, "time", '{"zo'));
  expect(reader.push('ne": ')).toEqual([{ kind: "arguments", index: 0, text: 'ne": ' }]);
  expect(reader.calls).toBe(1);
});

/** What a reader makes of a text that `max_tokens` cut at its end. */
function readCut(syntax: CallSyntax, text: string, begun = false): SaidPiece[] {
  const reader = new CallReader(syntax, NAMES, { required: begun });
  return [...reader.push(text), ...reader.end(true)];
}

const ONE = '{"name": "time", "arguments": {}}\n</tool_call>';

test("a call that is cut before its arguments is neither content nor a call", () => {
  for (const text of [`${ONE}\n<tool_call>\n{"name": "time", "arguments": `, ONE])
    for (let at = ONE.length; at <= text.length; at++) {
      expect(readCut(HERMES, text.slice(0, at), true)).toEqual(call(0, "time", "{}"));
      expect(readCut(HERMES, `<tool_call>\n${text.slice(0, at)}`)).toEqual(call(0, "time", "{}"));
    }
  for (let at = 0; at < ONE.indexOf("{}"); at++)
    expect(readCut(HERMES, ONE.slice(0, at), true)).toEqual([]);
  const words = 'Let me see.<tool_call>\n{"name": "ti';
  for (let at = "Let me see.<t".length; at <= words.length; at++)
    expect(readCut(HERMES, words.slice(0, at))).toEqual([content("Let me see.")]);
});

test("words that are cut are all there", () => {
  expect(readCut(HERMES, "a <")).toEqual([content("a"), content(" <")]);
  expect(readCut(LLAMA, '{"city": "Lima')).toEqual([content('{"city": "Lima')]);
});
