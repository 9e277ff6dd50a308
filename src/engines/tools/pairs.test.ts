import { describe, expect, test } from "bun:test";
import { END, madeUpVocabulary } from "../../../test/guided/made-up-vocabulary.ts";
import { readerOf } from "../../../test/guided/matches.ts";
import { validatorOf } from "../../../test/guided/validate.ts";
import { walk } from "../../../test/guided/walk.ts";
import { Seeded } from "../../../test/seeded.ts";
import { ChatRequest } from "../../contract/chat.ts";
import { ChatTemplate } from "../../lib/chat-template.ts";
import { chatFormat } from "../chat-format.ts";
import { templateMessages } from "../chat-prompt.ts";
import { createGuides } from "../guided/guide.ts";
import { vocabularyOf } from "../guided/token-trie.ts";
import { argumentTypes } from "./argument-types.ts";
import { fittingFormat } from "./fitting.ts";
import { toolGuide } from "./guide.ts";
import { GLM, MINIMAX, QWEN_CODER, SEED } from "./pair-families.ts";
import { toolPrompt } from "./prompt.ts";
import { CallReader } from "./read-calls.ts";
import { type CallSyntax, PROMPTED, triggerOf } from "./syntax.ts";
import { type ToolUse, toolUse } from "./use.ts";

const TOKENS = { bosToken: "<s>", eosToken: "</s>" };
const formatOf = (source: string) => chatFormat(source, TOKENS, null).tools;

const FAMILIES: readonly [string, string, CallSyntax][] = [
  [
    "Qwen3-Coder",
    QWEN_CODER,
    {
      begin: "<tool_call>\n<function=",
      between: "</function>\n</tool_call>\n<tool_call>\n<function=",
      end: "</function>\n</tool_call>",
      shape: {
        kind: "pairs",
        afterName: ">\n",
        beforeKey: "<parameter=",
        afterKey: ">\n",
        afterValue: "\n</parameter>\n",
      },
    },
  ],
  [
    "GLM",
    GLM,
    {
      begin: "<tool_call>",
      between: "</tool_call>\n<tool_call>",
      end: "</tool_call>",
      shape: {
        kind: "pairs",
        afterName: "\n",
        beforeKey: "<arg_key>",
        afterKey: "</arg_key>\n<arg_value>",
        afterValue: "</arg_value>\n",
      },
    },
  ],
  [
    "MiniMax",
    MINIMAX,
    {
      begin: '<minimax:tool_call>\n<invoke name="',
      between: '</invoke>\n<invoke name="',
      end: "</invoke>\n</minimax:tool_call>",
      shape: {
        kind: "pairs",
        afterName: '">\n',
        beforeKey: '<parameter name="',
        afterKey: '">',
        afterValue: "</parameter>\n",
      },
    },
  ],
  [
    "Seed",
    SEED,
    {
      begin: "<seed:tool_call>\n<function=",
      between: "</function>\n</seed:tool_call>\n<seed:tool_call>\n<function=",
      end: "</function>\n</seed:tool_call>",
      shape: {
        kind: "pairs",
        afterName: ">\n",
        beforeKey: "<parameter=",
        afterKey: ">",
        afterValue: "</parameter>\n",
      },
    },
  ],
];

const WEATHER = {
  type: "object",
  $defs: {
    place: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
  },
  properties: {
    city: { type: "string", maxLength: 12 },
    days: { type: "integer", minimum: 1, maximum: 30 },
    unit: { enum: ["C", "F", null] },
    note: { type: ["string", "null"], maxLength: 8 },
    code: { type: "string", pattern: "^[a-z]{2}-\\d+$" },
    either: {
      anyOf: [
        { type: "integer", minimum: 5 },
        { type: "string", minLength: 1, maxLength: 6 },
      ],
    },
    tags: { type: "array", items: { type: "string", maxLength: 5 }, maxItems: 3 },
    place: { $ref: "#/$defs/place" },
    deep: { type: "boolean" },
  },
  required: ["city", "unit", "deep"],
};
const tool = (name: string, parameters?: object) => ({
  type: "function",
  function: { name, parameters },
});

function useOf(tools: readonly object[], more: object = {}): ToolUse {
  const messages = [{ role: "user", content: "" }];
  const use = toolUse(ChatRequest.parse({ model: "m", messages, tools, ...more }));
  if (use === null) throw new Error("no tools");
  return use;
}
const BOTH = [tool("weather", WEATHER), tool("time")];

interface Read {
  readonly content: string;
  readonly calls: { name: string; arguments: string }[];
}

/** What a reader makes of an answer that comes in these pieces. */
function read(syntax: CallSyntax, use: ToolUse, pieces: readonly string[], cut = false): Read {
  const reader = new CallReader(
    syntax,
    use.callable,
    { required: use.required },
    undefined,
    argumentTypes(use),
  );
  const said: Read = { content: "", calls: [] };
  let content = "";
  for (const piece of [...pieces.flatMap((text) => reader.push(text)), ...reader.end(cut)]) {
    if (piece.kind === "content") content += piece.text;
    else if (piece.kind === "call") said.calls.push({ name: piece.name, arguments: "" });
    else {
      const call = said.calls[piece.index];
      if (call !== undefined) call.arguments += piece.text;
    }
  }
  return { ...said, content };
}

describe.each(FAMILIES)("%s", (_, source, syntax) => {
  const use = useOf(BOTH);

  test("shows how its model writes calls", () => {
    expect(formatOf(source)).toMatchObject({ syntax, listed: true, called: true, answered: true });
    expect(triggerOf(syntax)).toMatch(/^<[a-z:_]+>$/);
  });

  const GIVEN = {
    city: 'Par"is\n\\ </x> \u{1F642}<',
    days: 3,
    unit: null,
    note: "null!",
    tags: ["a", '</parameter>"'],
    place: { name: "}\n</arg_value>" },
    deep: true,
  };
  const messages = [
    { role: "user", content: "Hi" },
    {
      role: "assistant",
      content: null,
      tool_calls: [GIVEN, {}].map((given, index) => ({
        id: `call_${index}`,
        type: "function",
        function: { name: index === 0 ? "weather" : "time", arguments: JSON.stringify(given) },
      })),
    },
    { role: "tool", tool_call_id: "call_0", content: "sunny" },
    { role: "tool", tool_call_id: "call_1", content: "noon" },
  ];
  const template = new ChatTemplate(source);
  const parsed = ChatRequest.parse({ model: "m", messages, tools: BOTH });
  const prompt = toolPrompt(formatOf(source), templateMessages(parsed.messages), use);
  const text = template.render({
    ...prompt,
    ...TOKENS,
    addGenerationPrompt: false,
    variables: {},
  });
  const from = text.lastIndexOf(triggerOf(syntax));
  const first = text.indexOf(triggerOf(syntax), text.indexOf("Hi"));
  const written = text.slice(first, text.indexOf(syntax.end, from) + syntax.end.length);

  test("writes calls that are read as what they were, however they are cut", () => {
    expect(text).toContain("sunny");
    const expected = {
      content: "I look.",
      calls: [
        { name: "weather", arguments: expect.any(String) },
        { name: "time", arguments: "{}" },
      ],
    };
    const answer = `I look.\n${written}`;
    const whole = read(syntax, use, [answer]);
    expect(whole).toEqual(expected);
    expect(JSON.parse(whole.calls[0]?.arguments ?? "")).toEqual(GIVEN);
    expect(read(syntax, use, answer.split(""))).toEqual(whole);
    for (let at = 1; at < answer.length; at++)
      expect(read(syntax, use, [answer.slice(0, at), answer.slice(at)])).toEqual(whole);
    const random = new Seeded(7);
    for (let again = 0; again < 30; again++) {
      const pieces: string[] = [];
      for (let at = 0; at < answer.length; ) {
        const size = 1 + random.below(9);
        pieces.push(answer.slice(at, at + size));
        at += size;
      }
      expect(read(syntax, use, pieces)).toEqual(whole);
    }
  });

  test("a cut call's arguments are a beginning of the whole one's", () => {
    const [whole] = read(syntax, use, [written]).calls;
    for (let at = 1; at < written.length; at++) {
      const { content, calls } = read(syntax, use, [written.slice(0, at)], true);
      if (at > 1) expect(content).toBe("");
      expect(whole?.arguments).toStartWith(calls[0]?.arguments ?? "");
    }
  });

  test("whatever tokens are taken, a guided call is read, and fits its schema", () => {
    const tokens = [...madeUpVocabulary(), ...marksOf(syntax)];
    const guides = createGuides(vocabularyOf(tokens, [END]));
    const faultOf = validatorOf(WEATHER);
    const single = useOf(BOTH, { tool_choice: "required", parallel_tool_calls: false });
    const { guide } = toolGuide(syntax, single, null);
    let ended = 0;
    const names = new Set<string>();
    for (let seed = 1; seed <= 150; seed++) {
      const walked = walk(guides.compile(guide), tokens, new Set([END]), new Seeded(seed), 1200);
      if (!walked.ended) continue;
      ended += 1;
      const { calls, content } = read(syntax, single, [walked.text]);
      expect(content).toBe("");
      expect(calls).toHaveLength(1);
      names.add(calls[0]?.name ?? "");
      const given = calls[0]?.arguments ?? "";
      if (calls[0]?.name === "time") expect(given).toBe("{}");
      else expect([walked.text, faultOf(given)]).toEqual([walked.text, null]);
    }
    expect(ended).toBeGreaterThan(100);
    expect(names).toEqual(new Set(["weather", "time"]));
  });
});

/** Marks as single tokens, as vocabularies have them. */
function marksOf({ shape, end }: CallSyntax): Uint8Array[] {
  if (shape.kind !== "pairs") return [];
  const texts = [shape.beforeKey, shape.afterKey, shape.afterValue, shape.afterValue.trim(), end];
  return texts.map((text) => new TextEncoder().encode(text));
}

const QWEN = FAMILIES[0]?.[2] ?? PROMPTED.syntax;

test("required arguments come, in the schema's order, and no string holds the mark that ends it", () => {
  const use = useOf([tool("weather", WEATHER)], { tool_choice: "required" });
  const reads = readerOf(toolGuide(QWEN, use, null).guide);
  const pair = (key: string, value: string) => `<parameter=${key}>\n${value}\n</parameter>\n`;
  const end = "</function>\n</tool_call>";
  const call = (...pairs: string[]) => reads(`weather>\n${pairs.join("")}${end}`);
  const [city, unit, deep] = [pair("city", "Rome"), pair("unit", "C"), pair("deep", "true")];
  expect(call(city, unit, deep)).toBe("whole");
  expect(call(city, pair("days", "3"), unit, pair("either", "3x"), deep)).toBe("whole");
  expect(call(city, unit, pair("code", "it-39"), deep)).toBe("whole");
  expect(call(pair("city", "\n\n"), pair("unit", "null"), deep)).toBe("whole");
  for (const wrong of [
    [city, deep],
    [unit, city, deep],
    [city, pair("days", "31"), unit, deep],
    [city, pair("unit", "K"), deep],
    [city, unit, pair("deep", '"true"')],
    [city, unit, pair("code", "it39"), deep],
    [pair("city", "x</parameter>"), unit, deep],
    [pair("city", "longer than twelve"), unit, deep],
    [city, unit, pair("what", "x"), deep],
  ])
    expect(call(...wrong)).toBe("neither");
});

test("a text that is a value of another type is read as that, else as the string it is", () => {
  const use = useOf([tool("weather", WEATHER)]);
  const given = (key: string, value: string) =>
    JSON.parse(
      read(QWEN, use, [
        `<tool_call>\n<function=weather>\n<parameter=${key}>\n${value}\n</parameter>\n</function>\n</tool_call>`,
      ]).calls[0]?.arguments ?? "",
    );
  expect(given("either", "7")).toEqual({ either: 7 });
  expect(given("either", "4")).toEqual({ either: "4" });
  expect(given("note", "null")).toEqual({ note: null });
  expect(given("note", "Null")).toEqual({ note: "Null" });
  expect(given("city", "12")).toEqual({ city: "12" });
  expect(given("city", "")).toEqual({ city: "" });
});

test("arguments are given while they come", () => {
  const use = useOf([tool("weather", WEATHER)]);
  const reader = new CallReader(QWEN, use.callable, {}, undefined, argumentTypes(use));
  const given = (text: string) =>
    reader.push(text).map((piece) => ("text" in piece ? piece.text : piece.name));
  expect(given("<tool_call>\n<function=weather>\n<param")).toEqual([]);
  expect(given("eter=city>\nRo")).toEqual(["weather", '{"city": ', '"', "Ro"]);
  expect(given('me "x"\n</par')).toEqual(['me \\"x\\"']);
  expect(given("ameter>\n")).toEqual(['"']);
  expect(given("<parameter=tags>\n[1")).toEqual([', "tags": ', "[1"]);
});

const GLM_47: CallSyntax = {
  begin: "<tool_call>",
  between: "</tool_call><tool_call>",
  end: "</tool_call>",
  shape: {
    kind: "pairs",
    afterName: "",
    beforeKey: "<arg_key>",
    afterKey: "</arg_key><arg_value>",
    afterValue: "</arg_value>",
  },
};

/** A call of `f` with the one argument `a`: what it is read as, whole and by letters, if it may come. */
function argument(syntax: CallSyntax, schema: object, value: string): unknown {
  const parameters = { type: "object", properties: { a: schema }, required: ["a"] };
  const choice = { tool_choice: "required", parallel_tool_calls: false };
  const use = useOf([tool("f", parameters)], choice);
  if (syntax.shape.kind !== "pairs") return undefined;
  const { afterName, beforeKey, afterKey, afterValue } = syntax.shape;
  const text = `f${afterName}${beforeKey}a${afterKey}${value}${afterValue}${syntax.end}`;
  if (readerOf(toolGuide(syntax, use, null).guide)(text) !== "whole") return undefined;
  const { calls, content } = read(syntax, use, [text]);
  expect(content).toBe("");
  expect(read(syntax, use, text.split("")).calls).toEqual(calls);
  return JSON.parse(calls[0]?.arguments ?? "").a;
}

test("a list or an object is one where strings may be as well, whatever its texts hold", () => {
  const lists = { anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] };
  const objects = { type: ["object", "string"], properties: { k: { type: "string" } } };
  for (const syntax of [QWEN, GLM_47]) {
    const list = ["x</arg_value>y", "\n</parameter>\n", "z"];
    expect(argument(syntax, lists, JSON.stringify(list))).toEqual(list);
    const given = { k: "</arg_value></tool_call>" };
    expect(argument(syntax, objects, JSON.stringify(given))).toEqual(given);
    expect(argument(syntax, lists, "a [1]")).toBe("a [1]");
    expect(argument(syntax, lists, "")).toBe("");
    // No string begins so: it could not be told from a list.
    expect(argument(syntax, lists, "[1] is a note")).toBeUndefined();
    expect(argument(syntax, { type: ["string", "null"] }, "[1] is a note")).toBe("[1] is a note");
  }
});

test("a pattern that the gateway's check lets through is not too much between marks", () => {
  for (const [pattern, fits, not] of [
    ["^.{0,200}$", "a<b </p> c", "a</parameter>b"],
    ["^\\S{1,255}$", "</arg_valu", "a b"],
    ["^https?://.{1,200}$", "http://x</parameter", "http://"],
    ["^.{1,128}\\.(png|jpe?g|gif)$", "a.b.jpg", "a.bmp"],
  ] as const) {
    expect(argument(QWEN, { type: "string", pattern }, fits)).toBe(fits);
    expect(argument(QWEN, { type: "string", pattern }, not)).toBeUndefined();
    expect(argument(GLM_47, { type: "string", pattern }, "x</arg_value>.png")).toBeUndefined();
    expect(argument(GLM_47, { type: "string", pattern, maxLength: 30 }, fits)).toBe(fits);
  }
  const only = { type: "string", pattern: "^</parameter>$" };
  const format = formatOf(QWEN_CODER);
  const fit = (more: object) =>
    fittingFormat(format, useOf([tool("f", { type: "object", properties: { a: only }, ...more })]));
  expect(fit({ required: ["a"] })).toBe(PROMPTED);
  // One that need not come doesn't.
  const use = useOf([tool("f", { type: "object", properties: { a: only } })]);
  expect(fit({})).toBe(format);
  expect(() => readerOf(toolGuide(format.syntax, use, null).guide)).not.toThrow();
  const tags = { type: "string", pattern: "^<b>.{0,5}</b>$" };
  expect(argument(QWEN, tags, "<b>bold</b>")).toBe("<b>bold</b>");
});

test("marks may end with white space", () => {
  const types = { a: { type: "string" }, b: { type: "integer" } };
  const use = useOf([tool("f", { type: "object", properties: types, required: ["a", "b"] })]);
  const mark = (beforeKey: string, afterKey: string, afterValue: string) =>
    ({ kind: "pairs", afterName: "\n", beforeKey, afterKey, afterValue }) as const;
  for (const shape of [
    mark("<key>\n", "\n</key>\n<value>\n", "\n</value>\n"),
    mark("<arg ", ">", "</arg>\n"),
  ]) {
    const syntax = { begin: "<call>\n", between: null, end: "</call>", shape };
    const { afterName, beforeKey, afterKey, afterValue } = shape;
    const pair = (key: string, value: string) =>
      `${beforeKey}${key}${afterKey}${value}${afterValue}`;
    const text = `<call>\nf${afterName}${pair("a", " v")}${pair("b", "1")}</call>`;
    expect(readerOf(toolGuide(syntax, use, null).guide)(text)).toBe("whole");
    const calls = [{ name: "f", arguments: '{"a": " v", "b": 1}' }];
    expect(read(syntax, use, [text])).toEqual({ content: "", calls });
    expect(read(syntax, use, text.split(""))).toEqual({ content: "", calls });
  }
});

test("where nothing ends a call the answer's end does", () => {
  const use = useOf([tool("f", { type: "object", properties: { a: { type: "string" } } })], {
    tool_choice: "required",
  });
  const syntax: CallSyntax = {
    begin: "<call ",
    between: null,
    end: "",
    shape: {
      kind: "pairs",
      afterName: ">",
      beforeKey: "<arg ",
      afterKey: ">",
      afterValue: "</arg>",
    },
  };
  const given = (text: string, cut: boolean) => read(syntax, use, [text], cut).calls[0]?.arguments;
  expect(given("f><arg a>v</arg>", false)).toBe('{"a": "v"}');
  expect(given("f>", false)).toBe("{}");
  expect(given("f><arg a>v</arg>", true)).toBe('{"a": "v"');
  expect(given("f>", true)).toBeUndefined();
});

test("a string that may be null, or a number, is given while it comes", () => {
  const types = { a: { type: ["string", "null"] }, b: { type: ["integer", "string"] } };
  const use = useOf([tool("f", { type: "object", properties: types })]);
  const reader = new CallReader(QWEN, use.callable, {}, undefined, argumentTypes(use));
  const given = (text: string) =>
    reader.push(text).map((piece) => ("text" in piece ? piece.text : piece.name));
  expect(given("<tool_call>\n<function=f>\n<parameter=a>\nnul")).toEqual(["f", '{"a": ']);
  expect(given("l")).toEqual([]);
  expect(given("s")).toEqual(['"', "nulls"]);
  expect(given("\n</parameter>\n<parameter=b>\n12")).toEqual(['"', ', "b": ']);
  expect(given(" apples")).toEqual(['"', "12 apples"]);
});

test("where a tool's arguments can't be written so, its calls have the form of our prompt", () => {
  const format = formatOf(QWEN_CODER);
  const fits = (parameters: object) => fittingFormat(format, useOf([tool("f", parameters)]));
  for (const parameters of [
    WEATHER,
    { type: "object" },
    { type: "object", properties: {} },
    { type: "object", properties: { a: {} }, additionalProperties: true },
    { $ref: "#/$defs/a", $defs: { a: { type: "object", properties: { x: { type: "null" } } } } },
  ])
    expect(fits(parameters)).toBe(format);
  for (const parameters of [
    { anyOf: [{ type: "object" }] },
    { type: "object", additionalProperties: { type: "string" } },
    { type: "object", additionalProperties: true },
    { type: "object", properties: { "a>b": {} } },
    { type: "object", properties: { a: { enum: ["x</parameter>"] } }, required: ["a"] },
    { const: { a: 1 } },
    { type: "object", properties: { a: {} }, propertyNames: { enum: ["a"] } },
  ])
    expect(fits(parameters)).toBe(PROMPTED);
  expect(fittingFormat(format, null)).toBe(format);
});
