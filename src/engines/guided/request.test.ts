import { expect, test } from "bun:test";
import { ChatRequest } from "../../contract/chat.ts";
import { CompletionRequest } from "../../contract/completions.ts";
import { GatewayError } from "../../contract/errors.ts";
import { flawOf, refusalOf } from "./check.ts";
import { guideAsked } from "./request.ts";

const SCHEMA = { type: "object", properties: { a: { type: "integer" } } };

function guide(fields: object) {
  const asked = guideAsked(
    ChatRequest.parse({ model: "m", messages: [{ role: "user", content: "" }], ...fields }),
  );
  const flaw = asked === null ? null : flawOf({ whole: asked, parts: [] });
  if (flaw !== null) throw refusalOf(flaw);
  return asked?.spec ?? null;
}

function refusal(fields: object): object {
  try {
    guide(fields);
  } catch (error) {
    if (error instanceof GatewayError) return error.toBody().error;
    throw error;
  }
  throw new Error("it was not refused");
}

const formatOf = (schema: object) => ({
  response_format: { type: "json_schema", json_schema: { name: "x", schema } },
});

test("each way to ask for a form is one spec", () => {
  const json = { kind: "json_schema", schema: SCHEMA } as const;
  expect(guide({})).toBe(null);
  expect(guide({ response_format: { type: "text" }, guided_json: null })).toBe(null);
  expect(guide({ response_format: null })).toBe(null);
  expect(guide({ response_format: { type: "json_object", schema: SCHEMA } })).toEqual(json);
  expect(guide({ guided_json: SCHEMA })).toEqual(json);
  expect(guide({ guided_json: JSON.stringify(SCHEMA) })).toEqual(json);
  expect(guide(formatOf(SCHEMA))).toEqual(json);
  expect(guide({ response_format: { type: "json_object" } })).toEqual({ kind: "json_object" });
  expect(guide({ guided_regex: "a+" })).toEqual({ kind: "regex", pattern: "a+" });
  expect(guide({ guided_choice: ["a"] })).toEqual({ kind: "choice", choices: ["a"] });
  expect(guide({ guided_grammar: 'root ::= "a"' })).toEqual({
    kind: "grammar",
    source: 'root ::= "a"',
  });
});

test("what other engines call a guide is the same guide", () => {
  const json = { kind: "json_schema", schema: SCHEMA } as const;
  expect(guide({ json_schema: SCHEMA })).toEqual(json);
  expect(guide({ json_schema: JSON.stringify(SCHEMA) })).toEqual(json);
  expect(guide({ structured_outputs: { json: SCHEMA } })).toEqual(json);
  expect(guide({ structured_outputs: { json_object: true } })).toEqual({ kind: "json_object" });
  for (const fields of [
    { regex: "a+" },
    { regex_pattern: "a+" },
    { structured_outputs: { regex: "a+", json: null, disable_any_whitespace: true } },
  ])
    expect(guide(fields)).toEqual({ kind: "regex", pattern: "a+" });
  expect(guide({ structured_outputs: { choice: ["a"] } })).toEqual({
    kind: "choice",
    choices: ["a"],
  });
  const source = 'root ::= "a"';
  for (const fields of [
    { grammar: source },
    { ebnf: source },
    { grammar_string: source },
    { structured_outputs: { grammar: source } },
  ])
    expect(guide(fields)).toEqual({ kind: "grammar", source });
  expect(guide({ grammar: "", structured_outputs: {} })).toBe(null);
});

test("a completion has the same forms", () => {
  const asked = (format: unknown) =>
    guideAsked(CompletionRequest.parse({ model: "m", prompt: "", response_format: format }));
  expect(asked({ type: "json_object" })?.spec).toEqual({ kind: "json_object" });
  expect(() => asked({ type: "xml" })).toThrow();
});

test("two at once are refused, and the second is named", () => {
  const two = { guided_regex: "a", response_format: { type: "json_object" } };
  expect(refusal(two)).toMatchObject({ param: "response_format", type: "invalid_request_error" });
});

test.each([
  [
    formatOf({ properties: { a: { minProperties: 1 } } }),
    "response_format.json_schema.schema.properties.a.minProperties",
  ],
  [{ guided_json: { items: { pattern: "(?<=a)" } } }, "guided_json.items.pattern"],
  [
    {
      response_format: {
        type: "json_object",
        schema: { properties: { a: { minProperties: 1 } } },
      },
    },
    "response_format.schema.properties.a.minProperties",
  ],
  [{ structured_outputs: { choices: ["a"] } }, "structured_outputs.choices"],
  [{ structured_outputs: { json: null, foo: 1 } }, "structured_outputs.foo"],
  [{ guided_json: "{" }, "guided_json"],
  [{ json_schema: "{" }, "json_schema"],
  [{ regex: "(" }, "regex"],
  [{ regex: 5 }, "regex"],
  [{ structured_outputs: { choice: [] } }, "structured_outputs.choice"],
  [{ structured_outputs: { structural_tag: {} } }, "structured_outputs.structural_tag"],
  [{ structured_outputs: { regex: "a", choice: ["a"] } }, "structured_outputs.choice"],
  [{ regex: "a", guided_regex: "a" }, "regex"],
  [{ guided_json: "[".repeat(1_000_000) }, "guided_json"],
  [{ guided_regex: "(" }, "guided_regex"],
  [{ guided_grammar: "start: a" }, "guided_grammar"],
  [{ guided_grammar: 'root ::= ((("a"?){10000}){10000}){10000}' }, "guided_grammar"],
])("what can't be enforced is 400 with its place: %#", (fields, param) => {
  expect(refusal(fields)).toMatchObject({ param, type: "invalid_request_error", code: null });
});

test("a schema may come as a text, as deep as a request may be", () => {
  const text = (levels: number) => `{"const":${"[".repeat(levels)}${"]".repeat(levels)}}`;
  expect(guide({ guided_json: JSON.stringify(SCHEMA) })).toMatchObject({ kind: "json_schema" });
  for (const wrong of ["{oops", text(300), text(60_000)])
    expect(refusal({ guided_json: wrong })).toMatchObject({
      param: "guided_json",
      message: "'guided_json' is a text, but no JSON of at most 256 levels.",
    });
});
