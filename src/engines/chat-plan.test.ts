import { expect, test } from "bun:test";
import { ModelFile } from "../catalog/schema.ts";
import { ChatRequest } from "../contract/chat.ts";
import { type ChatFormat, NO_FORMAT } from "./chat-format.ts";
import { chatPlan } from "./chat-plan.ts";

const file = ModelFile.parse({
  id: "m",
  name: "M",
  context_length: 100,
  stop: ["<|user|>"],
  weights: { file: "/unused" },
});
const tool = (name: string, parameters: object) => ({
  type: "function",
  function: { name, parameters },
});
const tools = [tool("a", { type: "object" })];
const THINKER: ChatFormat = {
  ...NO_FORMAT,
  thinking: { open: "<think>", close: "</think>" },
  variables: ["enable_thinking"],
};

function plan(fields: object, prefill: string | null = null) {
  const context = { prefill, dropped: new Set<string>() };
  const messages = [{ role: "user", content: "Hi" }];
  const request = ChatRequest.parse({ model: "m", messages, ...fields });
  return { ...chatPlan(request, file, context, 1), dropped: context.dropped };
}

test("stop strings are the child's where an answer is words alone, else its reader's; the model's own always the child's", () => {
  const asked = { stop: ["END"] };
  expect(plan(asked).options(NO_FORMAT).stop).toEqual(["END", "<|user|>"]);
  expect(plan(asked).rules(NO_FORMAT).stop).toEqual([]);
  for (const [fields, format] of [
    [{ ...asked, tools }, NO_FORMAT],
    [asked, THINKER],
  ] as const) {
    expect(plan(fields).options(format).stop).toEqual(["<|user|>"]);
    expect(plan(fields).rules(format).stop).toEqual(["END"]);
  }
  expect(plan(asked, "It is").options(THINKER).stop).toEqual(["END", "<|user|>"]);
});

test("thinking is closed before what has a form, and before a call that must be", () => {
  const opening = (fields: object) => {
    const { prompt } = plan(fields).options(THINKER);
    return prompt.kind === "chat" ? prompt.opening : undefined;
  };
  expect(opening({})).toBeNull();
  expect(opening({ tools })).toBeNull();
  expect(opening({ response_format: { type: "json_object" } })).toBe("");
  expect(opening({ tools, tool_choice: "required" })).toBe("<tool_call>\n");
});

test("what steers thinking is told to a template that reads it, and is dropped for others", () => {
  const asked = plan({ reasoning_effort: "none" });
  expect(asked.dropped).toEqual(new Set(["reasoning_effort"]));
  const { prompt } = asked.options(THINKER);
  expect(prompt).toMatchObject({ variables: { enable_thinking: false } });
  expect(asked.dropped).toEqual(new Set());
  const own = plan({ reasoning_effort: "none", chat_template_kwargs: { enable_thinking: true } });
  expect(own.options(THINKER).prompt).toMatchObject({ variables: { enable_thinking: true } });
});

test("a tool whose schema can't be enforced is named", () => {
  const odd = { type: "object", properties: { x: { type: "string", not: {} } } };
  const refused = (list: object[], param: RegExp) =>
    expect(() => plan({ tools: list })).toThrow(
      expect.objectContaining({ kind: "invalid_request", param: expect.stringMatching(param) }),
    );
  refused([...tools, tool("odd", odd)], /^tools\[1\]\.function\.parameters/);
  const functions = [{ name: "odd", parameters: odd }];
  expect(() => plan({ functions })).toThrow(
    expect.objectContaining({ param: expect.stringMatching(/^functions\[0\]\.parameters/) }),
  );
});
