import { expect, test } from "bun:test";
import { continuesFinal, templateMessages } from "./chat-prompt.ts";

test("pieces of text are joined, and content that is null is empty", () => {
  const parts = [
    { type: "text" as const, text: "one" },
    { type: "text" as const, text: "two" },
  ];
  expect(
    templateMessages([
      { role: "developer", content: "rules" },
      { role: "user", content: parts },
      { role: "assistant", content: null },
    ]),
  ).toEqual([
    { role: "developer", content: "rules" },
    { role: "user", content: "one\ntwo" },
    { role: "assistant", content: "" },
  ]);
});

test("a picture is refused with its place", () => {
  const image = { type: "image_url" as const, image_url: { url: "data:image/png;base64,AA" } };
  expect(() => templateMessages([{ role: "user", content: [image] }])).toThrow(
    expect.objectContaining({
      kind: "invalid_request",
      param: "messages[0].content[0]",
      message: "This model takes no images, only text.",
    }),
  );
});

test("tool arguments are objects for the template where they are JSON", () => {
  const call = (text: string) => ({
    id: "1",
    type: "function" as const,
    function: { name: "f", arguments: text },
  });
  const [message] = templateMessages([
    { role: "assistant", content: null, tool_calls: [call('{"a":1}'), call("{broken")] },
  ]);
  expect(message?.tool_calls).toEqual([
    { ...call(""), function: { name: "f", arguments: { a: 1 } } },
    call("{broken"),
  ]);
});

test("functions' calls and results are tools', and thinking has one name", () => {
  const called = { name: "f", arguments: "{}" };
  const messages = templateMessages([
    { role: "assistant", content: null, function_call: called, reasoning: "hm" },
    { role: "function", name: "f", content: "7" },
  ]);
  expect(messages).toMatchObject([
    {
      role: "assistant",
      content: "",
      reasoning_content: "hm",
      tool_calls: [{ id: "function_call", function: { name: "f", arguments: {} } }],
    },
    { role: "tool", name: "f", tool_call_id: "function_call", content: "7" },
  ]);
  expect(messages[0]).not.toHaveProperty("function_call");
});

test("only an assistant's message at the end can be continued, and only without another header", () => {
  const question = { role: "user" as const, content: "Hi" };
  const begun = { role: "assistant" as const, content: "Yes, " };
  const call = { id: "c", type: "function" as const, function: { name: "f", arguments: "{}" } };
  const messages = [question, begun];
  const asked = { messages, continue_final_message: true };
  expect(continuesFinal(asked)).toBe(true);
  expect(continuesFinal({ ...asked, add_generation_prompt: false })).toBe(true);
  expect(continuesFinal({ messages })).toBe(false);
  expect(continuesFinal({ messages, continue_final_message: false })).toBe(false);
  const refused = (fields: object, param: string) =>
    expect(() => continuesFinal({ ...asked, ...fields })).toThrow(
      expect.objectContaining({ kind: "invalid_request", param }),
    );
  refused({ messages: [question] }, "messages[0].role");
  refused({ messages: [question, { ...begun, tool_calls: [call] }] }, "messages[1].tool_calls");
  refused({ add_generation_prompt: true }, "add_generation_prompt");
  refused({ continue_final_message: "yes" }, "continue_final_message");
  const prefixed = [question, { ...begun, prefix: true }];
  expect(continuesFinal({ messages: prefixed })).toBe(true);
  expect(continuesFinal({ messages: [...prefixed, question] })).toBe(false);
  refused({ messages: prefixed, add_generation_prompt: true }, "add_generation_prompt");
  refused({ messages: prefixed, continue_final_message: false }, "continue_final_message");
});

test("a call's arguments are read where they are an object, and not one too deep to be written again", () => {
  const told = (given: string) => {
    const call = { id: "c1", type: "function" as const, function: { name: "f", arguments: given } };
    const [message] = templateMessages([{ role: "assistant", content: null, tool_calls: [call] }]);
    return message?.tool_calls;
  };
  const read = (args: unknown) => [
    expect.objectContaining({ function: { name: "f", arguments: args } }),
  ];
  expect(told('{"a":[1]}')).toEqual(read({ a: [1] }));
  const deep = `{"a":${"[".repeat(30_000)}${"]".repeat(30_000)}}`;
  for (const text of ["[1]", "{oops", "", deep]) expect(told(text)).toEqual(read(text));
});

test("a result that no call before it asked for is refused, with its place", () => {
  const call = { id: "c1", type: "function" as const, function: { name: "f", arguments: "{}" } };
  const asked = { role: "assistant" as const, content: null, tool_calls: [call] };
  const result = (id: string) => ({ role: "tool" as const, content: "x", tool_call_id: id });
  expect(templateMessages([asked, result("c1"), result("c1")])).toHaveLength(3);
  for (const messages of [
    [asked, result("c2")],
    [result("c1"), asked],
  ])
    expect(() => templateMessages(messages)).toThrow(
      expect.objectContaining({ param: expect.stringMatching(/^messages\[[01]\]\.tool_call_id$/) }),
    );
});
