import { expect, test } from "bun:test";
import { ChatRequest } from "../../contract/chat.ts";
import { toolUse } from "./use.ts";

const tool = (name: string) => ({ type: "function", function: { name } });
const use = (fields: object) =>
  toolUse(ChatRequest.parse({ model: "m", messages: [{ role: "user", content: "" }], ...fields }));
const tools = [tool("a"), tool("b")];
const named = (name: string) => ({ type: "function", function: { name } });

test("the choice says what may be called, and whether something must be", () => {
  const both = new Set(["a", "b"]);
  expect(use({})).toBeNull();
  expect(use({ tools: [] })).toBeNull();
  expect(use({ tools, tool_choice: "none" })).toBeNull();
  expect(use({ tools })).toMatchObject({ callable: both, required: false, parallel: true });
  expect(use({ tools, parallel_tool_calls: false })).toMatchObject({ parallel: false });
  expect(use({ tools, tool_choice: "required" })).toMatchObject({ callable: both, required: true });
  expect(use({ tools, tool_choice: named("b") })).toMatchObject({
    callable: new Set(["b"]),
    required: true,
    parallel: false,
  });
  const allowed = (mode: string, ...names: string[]) => ({
    tools,
    tool_choice: { type: "allowed_tools", allowed_tools: { mode, tools: names.map(named) } },
  });
  expect(use(allowed("auto", "a"))).toMatchObject({ callable: new Set(["a"]), required: false });
  expect(use(allowed("required", "a"))).toMatchObject({ required: true });
  expect(use(allowed("auto", "a"))?.tools).toHaveLength(2);
});

test("functions are tools of which one is called at most", () => {
  const functions = [{ name: "a" }, { name: "b" }];
  expect(use({ functions })).toMatchObject({ legacy: true, parallel: false, required: false });
  expect(use({ functions, function_call: "none" })).toBeNull();
  expect(use({ functions, function_call: { name: "b" } })).toMatchObject({
    callable: new Set(["b"]),
    required: true,
  });
});

test("what there is not, or twice, or is no function, is refused with its place", () => {
  const refused = (fields: object, param: string) =>
    expect(() => use(fields)).toThrow(expect.objectContaining({ kind: "invalid_request", param }));
  refused({ tools: [tool("a"), tool("a")] }, "tools[1].function.name");
  refused({ tools, tool_choice: named("c") }, "tool_choice.function.name");
  refused({ tools: [tool("a"), { type: "custom", custom: { name: "x" } }] }, "tools[1].type");
  refused({ tools: Array.from({ length: 129 }, (_, index) => tool(`t${index}`)) }, "tools");
  const allowed = { mode: "auto", tools: [named("a"), named("c")] };
  refused(
    { tools, tool_choice: { type: "allowed_tools", allowed_tools: allowed } },
    "tool_choice.allowed_tools.tools[1]",
  );
  refused({ functions: [{ name: "a" }], function_call: { name: "c" } }, "function_call.name");
});

test("arguments that are no object are refused, with their place", () => {
  const of = (parameters: object) =>
    use({ tools: [tool("a"), { type: "function", function: { name: "b", parameters } }] });
  for (const parameters of [{ type: "string" }, { type: ["object", "null"] }, { type: "array" }])
    expect(() => of(parameters)).toThrow(
      expect.objectContaining({ param: "tools[1].function.parameters.type" }),
    );
  expect(() => of({ enum: ["x"] })).toThrow(
    expect.objectContaining({ param: "tools[1].function.parameters" }),
  );
  for (const parameters of [{}, { type: "object" }, { $ref: "#/$defs/a" }, { const: { a: 1 } }])
    expect(of(parameters)?.tools[1]?.parameters).toEqual(parameters);
  expect(() => use({ functions: [{ name: "f", parameters: { type: "null" } }] })).toThrow(
    expect.objectContaining({ param: "functions[0].parameters.type" }),
  );
});
