import { expect, test } from "bun:test";
import { ModelFile } from "../catalog/schema.ts";
import { ChatRequest } from "../contract/chat.ts";
import { GatewayError } from "../contract/errors.ts";
import { type ChatFormat, chatFormat, NO_FORMAT } from "./chat-format.ts";
import { chatPlan } from "./chat-plan.ts";
import { flawOf, refusalOf } from "./guided/check.ts";
import { createGuides } from "./guided/guide.ts";
import { vocabularyOf } from "./guided/token-trie.ts";
import { LLAMA, MISTRAL, QWEN } from "./tools/families.ts";

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
  const made = chatPlan(request, file, context, 1);
  const flaw = made.check === null ? null : flawOf(made.check);
  if (flaw !== null) throw refusalOf(flaw);
  return { ...made, dropped: context.dropped };
}

test("stop strings are the child's where an answer is words alone, else its reader's; the model's own alike where it may call", () => {
  const asked = { stop: ["END"] };
  expect(plan(asked).options(NO_FORMAT).stop).toEqual(["END", "<|user|>"]);
  expect(plan(asked).rules(NO_FORMAT).stop).toEqual([]);
  for (const [fields, format] of [
    [{ ...asked, tools }, NO_FORMAT],
    [asked, THINKER],
  ] as const) {
    const calls = "tools" in fields;
    expect(plan(fields).options(format).stop).toEqual(calls ? [] : ["<|user|>"]);
    expect(plan(fields).rules(format).stop).toEqual(calls ? ["END", "<|user|>"] : ["END"]);
    expect(plan(fields).rules(format).thoughtStop).toEqual(calls ? ["<|user|>"] : []);
  }
  expect(plan(asked, "It is").options(THINKER).stop).toEqual(["END", "<|user|>"]);
});

test("a chat's echo is told as left out; other engines' names are honoured", () => {
  const asked = plan({ echo: true, nsigma: 1.5, n_predict: 5, structured_outputs: { regex: "a" } });
  expect(asked.dropped).toEqual(new Set(["echo"]));
  expect(asked.options(NO_FORMAT)).toMatchObject({
    maxTokens: 5,
    sampling: { topNSigma: 1.5 },
    guide: { kind: "regex", pattern: "a" },
    echo: false,
  });
  expect(plan({ echo: false }).dropped).toEqual(new Set());
});

test("a form, and a call that must be, follow thinking, unless the caller wants none", () => {
  const prompted = (fields: object, format = THINKER) => {
    const { prompt, guide } = plan(fields).options(format);
    if (prompt.kind !== "chat") throw new Error("expected a chat");
    return [prompt.opening, prompt.thinksFirst, guide?.kind];
  };
  const form = { response_format: { type: "json_object" } };
  const required = { tools, tool_choice: "required" };
  expect(prompted({})).toEqual([null, null, undefined]);
  expect(prompted({ tools })).toEqual([null, null, "triggered"]);
  expect(prompted(form)).toEqual([null, [], "json_object"]);
  expect(prompted(required)).toEqual([null, ["<tool_call>"], "sequence"]);
  expect(plan(required).options(THINKER).guide).toMatchObject({
    parts: [{ kind: "literal", text: "<tool_call>\n" }, {}],
  });
  expect(prompted(form, NO_FORMAT)).toEqual(["", null, "json_object"]);
  expect(prompted(required, NO_FORMAT)).toEqual(["<tool_call>\n", null, "sequence"]);
  for (const off of [{ reasoning_effort: "none" }, { reasoning: { enabled: false } }]) {
    expect(prompted({ ...form, ...off })).toEqual(["", null, "json_object"]);
    const asked = plan({ ...required, ...off });
    asked.options({ ...THINKER, variables: [] });
    expect(asked.dropped).toEqual(new Set());
  }
  const { prompt } = plan(form, "{").options(THINKER);
  expect(prompt).toMatchObject({ opening: "", thinksFirst: null });
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

test("fields inside of others that nobody reads are told, but for those of messages that the template names", () => {
  const messages = [{ role: "user", content: "Hi", zzz: 1, mood: "merry" }];
  const asked = plan({ messages, response_format: { type: "text", yyy: 1 } });
  asked.options({ ...NO_FORMAT, words: ["mood"] });
  expect(asked.dropped).toEqual(new Set(["messages.zzz", "response_format.yyy"]));
  const outputs = { regex: "a", whitespace_pattern: "x" };
  expect(plan({ structured_outputs: outputs }).dropped).toEqual(
    new Set(["structured_outputs.whitespace_pattern"]),
  );
});

test("variables of a template are told where it has none of that name; how the prompt ends is honoured", () => {
  const kwargs = { messages: [], bos_token: "x", zzz: 1, mood: "merry", enable_thinking: null };
  const asked = plan({ chat_template_kwargs: { ...kwargs, add_generation_prompt: false } });
  const { prompt } = asked.options({ ...NO_FORMAT, words: ["mood", "messages"] });
  expect(prompt).toMatchObject({ addGenerationPrompt: false, variables: { mood: "merry" } });
  if (prompt.kind !== "chat") throw new Error("not a chat");
  expect(prompt.variables).not.toHaveProperty("messages");
  expect(asked.dropped).toEqual(
    new Set([
      "chat_template_kwargs.messages",
      "chat_template_kwargs.bos_token",
      "chat_template_kwargs.zzz",
    ]),
  );
  const both = plan({
    add_generation_prompt: true,
    chat_template_kwargs: { add_generation_prompt: false },
  });
  expect(both.options(NO_FORMAT).prompt).toMatchObject({ addGenerationPrompt: true });
  expect(both.dropped).toEqual(new Set(["chat_template_kwargs.add_generation_prompt"]));
});

test("a last message with 'prefix' is gone on with; an earlier one is told", () => {
  const begun = { role: "assistant", content: "The capital of Fra", prefix: true };
  const asked = plan({ messages: [{ role: "user", content: "Hi" }, begun] });
  const { prompt } = asked.options(NO_FORMAT);
  expect(prompt).toMatchObject({ continueFinal: true, addGenerationPrompt: false });
  expect(JSON.stringify(prompt)).not.toContain("prefix");
  expect(asked.dropped).toEqual(new Set());
  const early = plan({ messages: [begun, { role: "user", content: "Hi" }] });
  expect(early.options(NO_FORMAT).prompt).toMatchObject({ continueFinal: false });
  expect(early.dropped).toEqual(new Set(["messages.prefix"]));
});

test("a message that has begun to call a tool is refused, where there are tools", () => {
  const begun = { role: "assistant", content: '<tool_call>\n{"name": "', prefix: true };
  const messages = [{ role: "user", content: "Hi" }, begun];
  expect(() => plan({ tools, messages }).options(NO_FORMAT)).toThrow(
    expect.objectContaining({ kind: "invalid_request", param: "messages[1].content" }),
  );
  expect(plan({ messages }).options(NO_FORMAT).prompt).toMatchObject({ continueFinal: true });
  const words = [messages[0], { ...begun, content: "It is" }];
  expect(plan({ tools, messages: words }).options(NO_FORMAT).guide).not.toBeNull();
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

/** Patterns that take `count` times about a thousand steps to prepare. */
const heavy = (count: number, longer: number) => ({
  type: "object",
  properties: Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `p${i}`,
      { type: "string", pattern: `^[a-z]{1,${40 + i + longer}}$` },
    ]),
  ),
});
const format = (schema: object) => ({
  response_format: { type: "json_schema", json_schema: { name: "x", schema } },
});

test("tools and a form of the answer may take no more together than either alone, and are told so before", () => {
  const fits = (fields: object) => {
    try {
      return plan(fields);
    } catch (error) {
      if (error instanceof GatewayError && error.kind === "invalid_request") return null;
      throw error;
    }
  };
  const both = (n: number) => ({ tools: [tool("f", heavy(n, 0))], ...format(heavy(n, 1)) });
  let count = 10;
  while (fits(both(count + 10)) !== null) count += 10;
  // The most that is let through can be made, whatever way the model writes its calls.
  const tokens = { bosToken: "<s>", eosToken: "</s>" };
  for (const template of [QWEN, LLAMA, MISTRAL]) {
    const { guide } = plan(both(count)).options(chatFormat(template, tokens, null));
    if (guide === null) throw new Error("expected a guide");
    expect(() => createGuides(vocabularyOf([], [])).compile(guide)).not.toThrow();
  }
  // Either alone may be larger than both may.
  const more = count + 10;
  expect(fits({ tools: [tool("f", heavy(more, 0))] })).not.toBeNull();
  expect(fits(format(heavy(more, 1)))).not.toBeNull();
});

test("a form that can't be enforced is named beside tools too", () => {
  const bad = { type: "object", properties: { a: { pattern: "(" } } };
  for (const tool_choice of ["auto", "required"])
    expect(() => plan({ tools, tool_choice, ...format(bad) })).toThrow(
      expect.objectContaining({
        param: "response_format.json_schema.schema.properties.a.pattern",
      }),
    );
});
