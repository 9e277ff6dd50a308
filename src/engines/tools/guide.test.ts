import { expect, test } from "bun:test";
import { ChatRequest } from "../../contract/chat.ts";
import type { GuideSpec } from "../guided/spec.ts";
import { argumentsSchema, toolGuide } from "./guide.ts";
import { type CallSyntax, HERMES } from "./syntax.ts";
import { toolUse } from "./use.ts";

const schema = { type: "object", properties: { city: { type: "string" } } };
const tools = [
  { type: "function", function: { name: "weather", parameters: schema } },
  { type: "function", function: { name: "time" } },
];
const LLAMA: CallSyntax = {
  begin: "",
  between: null,
  end: "",
  shape: { kind: "object", name: "name", arguments: "parameters" },
};
const MISTRAL: CallSyntax = {
  begin: "[TOOL_CALLS][",
  between: ", ",
  end: "]",
  shape: { kind: "object", name: "name", arguments: "arguments" },
};

function guide(syntax: CallSyntax, fields: object, otherwise: GuideSpec | null = null) {
  const messages = [{ role: "user", content: "" }];
  const use = toolUse(ChatRequest.parse({ model: "m", messages, tools, ...fields }));
  if (use === null) throw new Error("no tools");
  return toolGuide(syntax, use, otherwise);
}

const literal = (text: string): GuideSpec => ({ kind: "literal", text });
const sequence = (...parts: GuideSpec[]): GuideSpec => ({ kind: "sequence", parts });
const either = (...parts: GuideSpec[]): GuideSpec => ({ kind: "either", parts });
const weather = (key = "arguments") =>
  sequence(
    literal(`{"name": "weather", "${key}": `),
    { kind: "json_schema", schema },
    literal("}"),
  );
const time = (key = "arguments") =>
  sequence(
    literal(`{"name": "time", "${key}": `),
    { kind: "json_schema", schema: argumentsSchema({ parameters: null }) },
    literal("}"),
  );

test("a named tool is called from the first token on", () => {
  const choice = { tool_choice: { type: "function", function: { name: "weather" } } };
  expect(guide(HERMES, choice)).toEqual({
    opening: "<tool_call>\n",
    guide: sequence(weather(), literal("\n</tool_call>")),
  });
  expect(guide(LLAMA, choice)).toEqual({ opening: "", guide: weather("parameters") });
});

test("a required call is one of any tool, and several where they may be", () => {
  const one = either(weather(), time());
  const required = { tool_choice: "required", parallel_tool_calls: false };
  expect(guide(HERMES, required).guide).toEqual(sequence(one, literal("\n</tool_call>")));
  expect(guide(MISTRAL, { tool_choice: "required" }).guide).toMatchObject({
    parts: [
      { kind: "triggered", freeText: false, least: 1, separator: ", ", triggers: [{ guide: one }] },
      literal("]"),
    ],
  });
});

test("a call that may be is guided from what announces it, to its end", () => {
  const one = either(weather(), time());
  expect(guide(HERMES, {})).toEqual({
    opening: null,
    guide: {
      kind: "triggered",
      triggers: [
        {
          begin: "<tool_call>",
          guide: sequence(literal("\n"), one, literal("\n</tool_call>")),
          end: "",
        },
      ],
      freeText: true,
      least: 0,
      most: null,
      separator: "",
    },
  });
  expect(guide(HERMES, { parallel_tool_calls: false }).guide).toMatchObject({ most: 1 });
});

test("where nothing announces calls an answer is one, or words that can't be taken for one", () => {
  const { guide: spec, opening } = guide(LLAMA, {});
  expect(opening).toBeNull();
  expect(spec).toMatchObject({
    kind: "either",
    parts: [either(weather("parameters"), time("parameters")), { kind: "regex" }],
  });
  const words = spec.kind === "either" ? spec.parts[1] : null;
  const pattern = new RegExp(`^${words?.kind === "regex" ? words.pattern : ""}$`);
  for (const text of ["", "Hi {x}", " \nHi"]) expect(pattern.test(text)).toBe(true);
  for (const text of ["{", ' {"name": "x"}']) expect(pattern.test(text)).toBe(false);
});

test("an answer that must have a form is in that form, or a call", () => {
  const form: GuideSpec = { kind: "json_object" };
  expect(guide(HERMES, {}, form).guide).toMatchObject({
    kind: "either",
    parts: [{ kind: "sequence" }, form],
  });
  expect(guide(HERMES, { tool_choice: "required" }, form).opening).toBe("<tool_call>\n");
});

test("arguments are an object, also where a schema doesn't say so", () => {
  expect(argumentsSchema({ parameters: { properties: {} } })).toMatchObject({ type: "object" });
  expect(argumentsSchema({ parameters: { $ref: "#/x" } })).toEqual({ $ref: "#/x" });
});
