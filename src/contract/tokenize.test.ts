import { expect, test } from "bun:test";
import { TokenizeRequest, unreadOfTokenize, WHOLE_CONVERSATION } from "./tokenize.ts";

const unread = (fields: object, read: ReadonlySet<string>) =>
  unreadOfTokenize(TokenizeRequest.parse({ model: "m", ...fields }), read);

test("what nobody reads is told; what changes no token of a chat is not", () => {
  const tools = [{ type: "function", function: { name: "f" } }];
  const chat = { messages: [{ role: "user", content: "Hi" }], tools, temperature: 1, zzz: 1 };
  expect(unread({ ...chat, return_token_strs: true, yyy: null }, WHOLE_CONVERSATION)).toEqual([
    "zzz",
  ]);
  expect(unread(chat, new Set())).toEqual(["tools", "zzz"]);
  const text = { prompt: "Hi", add_special_tokens: false, add_generation_prompt: true };
  expect(unread(text, new Set())).toEqual(["add_generation_prompt"]);
});
