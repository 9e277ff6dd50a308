import { expect, test } from "bun:test";
import { opensCall } from "./begun-call.ts";
import { HERMES } from "./syntax.ts";

test.each([
  ["", false],
  ["It is 1 <", false],
  ["I look it up. <tool_", true],
  ["<tool_call>", true],
  ['<tool_call>\n{"name": "', true],
  ['<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>', false],
  ['<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>\n<tool_call>', true],
])("%j opens a call: %p", (text, opens) => {
  expect(opensCall(HERMES, text)).toBe(opens);
});

test("where nothing announces a call, a text that begins as one is one", () => {
  const bare = { ...HERMES, begin: "", end: "" };
  expect(opensCall(bare, ' {"name"')).toBe(true);
  expect(opensCall(bare, 'a {"name"')).toBe(false);
});
