import { describe, expect, test } from "bun:test";
import { readerOf } from "../../../test/guided/matches.ts";
import { schemaNode } from "./schema.ts";
import { SpecError } from "./spec-error.ts";

const LIST = {
  $ref: "#/$defs/node",
  $defs: {
    node: {
      type: "object",
      properties: {
        v: { type: "integer" },
        next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] },
      },
      required: ["v", "next"],
    },
  },
};
const TWO = { a: { type: "integer" }, b: { type: "integer" } };

/** What each keyword lets through, and what it does not. */
const KEYWORDS: readonly [string, object | boolean, readonly string[], readonly string[]][] = [
  ["type", { type: "boolean" }, ["true", "false"], ["null", '"true"', "True"]],
  ["several types", { type: ["string", "null"] }, ["null", '""'], ["1"]],
  [
    "no type at all",
    {},
    ['{"a": [1, {"b": null}]}', "-1.5e10", '"x\\n\\u00e9🙂"'],
    ["01", '"\n"', "[1,]"],
  ],
  ["false", { anyOf: [false, { type: "null" }] }, ["null"], ["1"]],
  ["enum", { enum: ["a", 1, null, [1]] }, ['"a"', "1", "null", "[1]"], ['"b"', "2"]],
  ["enum beside type", { type: "string", enum: ["a", 1] }, ['"a"'], ["1"]],
  ["enum beside bounds", { enum: ["a", 1, 5], minimum: 2 }, ["5", '"a"'], ["1"]],
  ["const", { const: { a: 'b"' } }, ['{"a":"b\\""}'], ["{}"]],
  ["anyOf", { anyOf: [{ type: "integer" }, { type: "null" }] }, ["1", "null"], ['"a"']],
  [
    "oneOf by type",
    { oneOf: [{ type: "integer" }, { type: ["null", "string"] }] },
    ["1", "null"],
    ["1.5"],
  ],
  [
    "oneOf by a property, with a discriminator",
    {
      oneOf: [{ $ref: "#/$defs/cat" }, { $ref: "#/$defs/dog" }],
      discriminator: { propertyName: "kind", mapping: {} },
      $defs: {
        cat: { type: "object", properties: { kind: { const: "cat" } }, required: ["kind"] },
        dog: { type: "object", properties: { kind: { enum: ["dog"] }, age: { type: "integer" } } },
      },
    },
    ['{"kind":"cat"}', '{"kind":"dog","age":1}', "{}"],
    ['{"kind":"cat","age":1}', "1"],
  ],
  [
    "allOf of one",
    { allOf: [{ $ref: "#/$defs/n" }], default: 1, $defs: { n: { type: "integer" } } },
    ["1"],
    ["null"],
  ],
  ["nullable", { type: "string", enum: ["a"], nullable: true }, ['"a"', "null"], ['"b"']],
  [
    "annotations",
    { type: "null", "x-order": 1, $anchor: "a", uniqueItems: false },
    ["null"],
    ["1"],
  ],
  [
    "a web address",
    { type: "string", format: "uri", minLength: 1, maxLength: 2083 },
    ['"https://a-b.example.com:8080/x/y%20z?q=1&r#top"', '"http://example.org"'],
    ['"ftp://example.org"', '"https://example"', '"https://"', '"x"', '"http://example.org/%2"'],
  ],
  ["$ref to itself", LIST, ['{"v":1,"next":{"v":2,"next":null}}'], ['{"v":1}']],
  [
    "required",
    { properties: TWO, required: ["b"] },
    ['{"b": 1}', '{"a":1,"b":2}'],
    ["{}", '{"a": 1}'],
  ],
  ["optional", { properties: TWO }, ["{}", '{"b": 1}', '{"a": 1,\n  "b": 2\n}'], ['{"b":1,"a":2}']],
  ["no properties at all", { type: "object", properties: {} }, ["{}"], ['{"a":1}']],
  ["any object", { type: "object" }, ["{}", '{"a":1}'], ["[]"]],
  [
    "no properties, and others allowed",
    { properties: {}, additionalProperties: true },
    ["{}", '{"a":1}'],
    ["[]"],
  ],
  [
    "no properties but those required",
    { properties: {}, required: ["z"] },
    ['{"z":1}'],
    ["{}", '{"z":1,"a":1}'],
  ],
  ["required only", { required: ["z"] }, ['{"z": [1]}', '{"z":1,"x":2}'], ["{}", '{"x": 1}']],
  [
    "additionalProperties",
    { properties: { a: { type: "integer" } }, additionalProperties: { type: "string" } },
    ['{"a": 1, "c": "x"}', '{"c": "x", "d": ""}'],
    ['{"c": 2}', '{"a": "x"}', '{"c": "x", "c": "y"}', '{"a": 1, "a": 2}', '{"c":"x","a":1}'],
  ],
  [
    "a property that may not be there, beside others",
    { properties: { a: false, b: { type: "string" } }, additionalProperties: true },
    ['{"b": "", "c": 1}', '{"ab": 1}'],
    ['{"a": 1}', '{"b": "", "a": 1}'],
  ],
  [
    "a property that nothing finite fits, beside others",
    {
      properties: { a: { $ref: "#/$defs/endless" } },
      additionalProperties: true,
      $defs: { endless: { type: "array", items: { $ref: "#/$defs/endless" }, minItems: 1 } },
    },
    ['{"b": 1}'],
    ['{"a": 1}', '{"a": [1]}'],
  ],
  ["additionalProperties left out", { properties: TWO }, ["{}"], ['{"c": 1}']],
  [
    "items",
    { items: { type: "integer" }, minItems: 1, maxItems: 2 },
    ["[1]", "[1, 2]"],
    ["[]", "[1,2,3]", "[null]"],
  ],
  ["no items", { type: "array", maxItems: 0 }, ["[]", "[ ]"], ["[1]"]],
  [
    "prefixItems",
    { prefixItems: [{ const: 1 }, { const: 2 }], items: false },
    ["[]", "[1]", "[1,2]"],
    ["[2]", "[1,2,3]"],
  ],
  [
    "prefixItems and more",
    { prefixItems: [{ const: 1 }], items: { const: 3 }, minItems: 2, maxItems: 3 },
    ["[1,3]", "[1,3,3]"],
    ["[1]", "[3,3]", "[1,3,3,3]"],
  ],
  [
    "lengths",
    { minLength: 2, maxLength: 3 },
    ['"ab"', '"🙂é\\n"', '"\\u00e9a"'],
    ['"a"', '"abcd"', '""'],
  ],
  ["pattern", { pattern: 'b"' }, ['"ab\\"c"'], ['"b"', '"b"c"']],
  ["pattern and length", { pattern: "^[a-z]+$", maxLength: 2 }, ['"ab"'], ['"abc"', '""']],
  ["format", { format: "date" }, ['"2026-11-20"'], ['"2026-02-30"', '"2026-13-01"', '"today"']],
  [
    "bounds",
    { type: "integer", minimum: 3, exclusiveMaximum: 121 },
    ["3", "120"],
    ["2", "121", "3.0", "03"],
  ],
  [
    "a record, as zod writes it",
    { type: "object", propertyNames: { type: "string" }, additionalProperties: { type: "number" } },
    ["{}", '{"a":1}'],
    ['{"a":null}', "1"],
  ],
  [
    "a record of listed names",
    {
      propertyNames: { type: "string", enum: ["a", "b"] },
      additionalProperties: { type: "number" },
      required: ["a", "b"],
    },
    ['{"a":1,"b":2}'],
    ["{}", '{"a":1}', '{"b":2,"a":1}', '{"a":1,"b":2,"c":3}', '{"a":1,"b":null}'],
  ],
  [
    "a record of listed names that may be left out, as pydantic writes it",
    {
      type: "object",
      propertyNames: { $ref: "#/$defs/E" },
      additionalProperties: { type: "integer" },
      $defs: { E: { anyOf: [{ const: "a" }, { type: "string", enum: ["b", "c"], title: "E" }] } },
    },
    ["{}", '{"a":1}', '{"a":1,"c":2}', '{"b":3}'],
    ['{"d":1}', '{"a":1,"d":1}', '{"a":1,"a":1}', '{"a":""}'],
  ],
  [
    "listed names beside properties",
    {
      properties: { a: { type: "null" }, z: { type: "null" } },
      propertyNames: { enum: ["a", "b"] },
    },
    ["{}", '{"a":null}'],
    ['{"z":null}', '{"b":1}'],
  ],
  [
    "listed names, with anything",
    { type: "object", propertyNames: { enum: ["b"] } },
    ['{"b":[1]}', "{}"],
    ['{"a":1}'],
  ],
  ["no names at all", { type: "object", propertyNames: false }, ["{}"], ['{"a":1}']],
  [
    "a property that never is, as zod writes it",
    { properties: { a: { not: {} }, b: { type: "null" } }, additionalProperties: true },
    ['{"b":null}'],
    ['{"a":1}', '{"b":null,"a":1}'],
  ],
  ["multipleOf", { type: "integer", multipleOf: 7 }, ["0", "14", "-7"], ["15"]],
];

describe.each(KEYWORDS)("%s", (_, schema, good, bad) => {
  const read = readerOf({ kind: "json_schema", schema });
  test.each([...good])("takes %s", (text) => expect(read(text)).toBe("whole"));
  test.each([...bad])("does not take %s", (text) => expect(read(text)).not.toBe("whole"));
});

test("white space is bounded, and so are digits", () => {
  const read = readerOf({ kind: "json_schema", schema: { items: { type: "number" } } });
  expect(read(`[\n${" ".repeat(24)}1]`)).toBe("whole");
  expect(read(`[\n${" ".repeat(25)}`)).toBe("neither");
  for (const begun of ["[  ", "[\n\n", " ", "[\t"]) expect(read(begun)).toBe("neither");
  expect(read(`[${"1".repeat(15)}]`)).toBe("whole");
  for (const begun of [`[${"1".repeat(16)}`, "[1e100", "[0.12345678901"])
    expect(read(begun)).toBe("neither");
});

test.each([
  [{ type: "object", minProperties: 1 }, "minProperties", "'minProperties' can't be enforced"],
  [{ properties: { a: { not: { type: "null" } } } }, "properties.a.not", "'not' can't be enforced"],
  [{ type: "object", propertyNames: { minLength: 2 } }, "propertyNames", "by 'enum'"],
  [{ propertyNames: { enum: ["a"] }, required: ["b"] }, "required", "'propertyNames'"],
  [{ type: "array", items: [{}], additionalItems: false }, "items", "'prefixItems'"],
  [{ type: "array", contains: {}, minContains: 0, maxContains: 2 }, "contains", "'prefixItems'"],
  [{ items: { anyOf: [{ oneOf: [] }] } }, "items.anyOf[0].oneOf", "'oneOf'"],
  [{ oneOf: [{ type: "integer" }, { type: "number" }] }, "oneOf", "use 'anyOf'"],
  [{ oneOf: [{ properties: TWO }, { properties: TWO }] }, "oneOf", "use 'anyOf'"],
  [{ oneOf: [{ $ref: "#" }, { type: "null" }] }, "oneOf", "use 'anyOf'"],
  [{ allOf: [TWO, TWO] }, "allOf", "as one schema"],
  [{ allOf: [{ type: "string" }], minLength: 1 }, "allOf", "as one schema"],
  [{ type: "array", uniqueItems: true }, "uniqueItems", "leave it out"],
  [{ type: "array", items: [{}] }, "items", "'prefixItems'"],
  [{ properties: { a: { enum: [] } } }, "properties.a.enum", "no values"],
  [{ $defs: { x: { allOf: [] } }, $ref: "#/$defs/x" }, "$ref.allOf", "'allOf'"],
  [{ properties: { a: { pattern: "(?<=x)" } } }, "properties.a.pattern", "looking behind"],
  [{ type: "string", format: "regex" }, "format", "can't be enforced; these can: date"],
  [{ type: "text" }, "type", "A type is one of"],
  [{ type: "number", multipleOf: 0.1 }, "multipleOf", "whole numbers"],
  [{ $ref: "#/$defs/x" }, "$ref", "is not in the schema"],
  [{ $ref: "https://example.com/x" }, "$ref", "the same schema"],
  [{ anyOf: [{}], properties: {} }, "properties", "beside 'anyOf'"],
  [{ required: ["a"], additionalProperties: false }, "required", "'a' is required"],
  [{ minLength: 3, maxLength: 2 }, "minLength", "larger than"],
  [{ items: { minimum: 2, maximum: 1 } }, "items.minimum", "No number"],
  [{ type: "integer", exclusiveMinimum: 1, exclusiveMaximum: 2 }, "exclusiveMinimum", "No number"],
  [{ properties: { a: { maximum: -1e300 } } }, "properties.a.maximum", "No number"],
  [{ enum: [1, 2], minimum: 3 }, "", "None of the values"],
  [[], "", "A schema is an object"],
] as const)("%j is refused, with its place", (schema, path, reason) => {
  let thrown: unknown = null;
  try {
    schemaNode(schema);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(SpecError);
  expect(thrown).toMatchObject({ path, message: expect.stringContaining(reason) });
});

test.each([
  { minProperties: 0 },
  { propertyNames: true },
  { propertyNames: {} },
  { propertyNames: { type: "string", minLength: 0, title: "a name" } },
  { patternProperties: {} },
  { dependentRequired: {}, dependentSchemas: {} },
  { unevaluatedProperties: true, unevaluatedItems: { title: "anything" } },
  { contains: { type: "integer" }, minContains: 0 },
  { minContains: 0 },
  { maxContains: 3 },
  { additionalItems: false },
  { uniqueItems: false },
  { exclusiveMinimum: false, exclusiveMaximum: false },
  { not: false },
  { if: { type: "null" } },
  { else: false },
])("%j says nothing, and is left out", (nothing) => {
  const read = readerOf({ kind: "json_schema", schema: { type: ["object", "array"], ...nothing } });
  for (const text of ['{"a":1}', "{}", "[1,1]"]) expect(read(text)).toBe("whole");
  expect(read("1")).toBe("neither");
  const wrapped = readerOf({
    kind: "json_schema",
    schema: { allOf: [{ type: "null", ...nothing }] },
  });
  expect(wrapped("null")).toBe("whole");
});

test("what could only go on for ever is refused, and left out where it need not be taken", () => {
  const tree = { type: "object", properties: { next: { $ref: "#" } } };
  expect(() => readerOf({ kind: "json_schema", schema: { ...tree, required: ["next"] } })).toThrow(
    "No finite text",
  );
  const endless = { ...tree, required: ["next"] };
  const schema = {
    type: "object",
    properties: { a: { $ref: "#/$defs/endless/properties/next" }, b: {} },
    $defs: { endless: { properties: { next: false } } },
  };
  expect(endless).toBeObject();
  expect(readerOf({ kind: "json_schema", schema })('{"b":1}')).toBe("whole");
  expect(readerOf({ kind: "json_schema", schema })('{"a"')).toBe("neither");
  expect(() => readerOf({ kind: "json_schema", schema: { anyOf: [{ $ref: "#" }, {}] } })).toThrow(
    "begins with itself",
  );
});
