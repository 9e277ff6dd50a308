import { expect, test } from "bun:test";
import { ChatTemplate } from "../lib/chat-template.ts";
import { renderChat } from "./render-chat.ts";

const template = new ChatTemplate(
  "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor %}" +
    "{% if tools %}{{ tools[0].function.name }}{% endif %}{{ mood }}" +
    "{% if add_generation_prompt %}<assistant>{% endif %}",
);
const known = { template, bosToken: "[B]", eosToken: "[E]", addsBos: false };
const hi = { model: "m", messages: [{ role: "user", content: "Hi" }] };

test("a chat is the text that an answer to it would begin from", () => {
  expect(renderChat(known, hi)).toBe("[B]<user>Hi[E]<assistant>");
  const tools = [{ type: "function", function: { name: "look_up" } }];
  expect(renderChat(known, { ...hi, tools, chat_template_kwargs: { mood: "!" } })).toBe(
    "[B]<user>Hi[E]look_up!<assistant>",
  );
});

test("a beginning token that the tokenizer adds by itself is not there twice", () => {
  expect(renderChat({ ...known, addsBos: true }, hi)).toBe("<user>Hi[E]<assistant>");
});

test("a message that goes on stays open", () => {
  const messages = [...hi.messages, { role: "assistant", content: "Yes, " }];
  expect(renderChat(known, { ...hi, messages, continue_final_message: true })).toBe(
    "[B]<user>Hi[E]<assistant>Yes, ",
  );
});

test("what can't be rendered as it should be is not rendered at all", () => {
  expect(renderChat({ ...known, eosToken: null }, hi)).toBeNull();
  expect(renderChat({ ...known, bosToken: null, addsBos: true }, hi)).toBe(
    "<user>Hi[E]<assistant>",
  );
  const image = [{ type: "image_url", image_url: { url: "https://example.com/a.png" } }];
  expect(renderChat(known, { ...hi, messages: [{ role: "user", content: image }] })).toBeNull();
  const strict = new ChatTemplate("{{ raise_exception('no') }}");
  expect(renderChat({ ...known, template: strict }, hi)).toBeNull();
  expect(renderChat(known, { model: "m" })).toBeNull();
});
