import { expect, test } from "bun:test";
import { ChatRequest } from "./chat.ts";
import { unknownFields } from "./unknown-fields.ts";

const unknown = (name: keyof typeof ChatRequest.shape, value: unknown) =>
  unknownFields(ChatRequest.shape[name], value, name);

test("fields that the contract does not name are found in messages, their parts and calls, each once", () => {
  const call = { id: "1", type: "function", function: { name: "f", arguments: "{}", y: 1 } };
  const messages = [
    { role: "user", content: [{ type: "text", text: "Hi", cache_control: {}, zzz: 1 }] },
    { role: "user", content: [{ type: "text", text: "Hi", zzz: 2 }], name: "n", x: {} },
    { role: "assistant", content: null, refusal: null, tool_calls: [call], w: null, index: 0 },
    { role: "assistant", content: "b", reasoning: "r", prefix: true },
  ];
  expect(unknown("messages", messages)).toEqual([
    "messages.content.zzz",
    "messages.x",
    "messages.tool_calls.function.y",
    "messages.index",
  ]);
});

test("what is the caller's own is not looked into: schemas of tools, variables of templates", () => {
  const tool = {
    type: "function",
    function: { name: "f", parameters: { type: "object", properties: { a: {} } }, zzz: 1 },
  };
  expect(unknown("tools", [tool])).toEqual(["tools.function.zzz"]);
  expect(unknown("chat_template_kwargs", { a: { b: 1 } })).toEqual([]);
  expect(unknown("metadata", { a: "b" })).toEqual([]);
  expect(unknown("tool_choice", "auto")).toEqual([]);
  expect(unknown("stream_options", { include_usage: true, zzz: 1 })).toEqual([
    "stream_options.zzz",
  ]);
  const format = { name: "x", schema: { a: 1 }, shape: {} };
  expect(unknown("response_format", { type: "json_schema", json_schema: format })).toEqual([
    "response_format.json_schema.shape",
  ]);
  expect(unknown("stop", ["a"])).toEqual([]);
});
