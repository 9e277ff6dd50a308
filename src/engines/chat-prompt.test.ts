import { expect, test } from "bun:test";
import { templateMessages } from "./chat-prompt.ts";

test("pieces of text are joined and developer speaks as system", () => {
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
    { role: "system", content: "rules" },
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
