import { expect, test } from "bun:test";
import { ChatRequest } from "../../contract/chat.ts";
import { ChatTemplate } from "../../lib/chat-template.ts";
import { templateMessages } from "../chat-prompt.ts";
import { detectTools } from "./detect.ts";
import { LLAMA, MISTRAL, QWEN, SMOL, ZEPHYR } from "./families.ts";
import { toolPrompt } from "./prompt.ts";
import { toolUse } from "./use.ts";

const WEATHER = {
  type: "function",
  function: {
    name: "weather",
    description: "The weather.",
    parameters: { type: "object", properties: { city: { type: "string" } } },
  },
};
const call = (id: string, city: string) => ({
  id,
  type: "function",
  function: { name: "weather", arguments: JSON.stringify({ city }) },
});
const asked = {
  model: "m",
  tools: [WEATHER],
  messages: [
    { role: "user", content: "Weather?" },
    { role: "assistant", content: null, tool_calls: [call("call_1", "Rome")] },
    { role: "tool", tool_call_id: "call_1", content: "sunny" },
  ],
};

function rendered(source: string, request: object): string {
  const template = new ChatTemplate(source);
  const tokens = { bosToken: "<s>", eosToken: "</s>" };
  const parsed = ChatRequest.parse(request);
  const format = detectTools(template, tokens);
  const prompt = toolPrompt(format, templateMessages(parsed.messages), toolUse(parsed));
  return template.render({ ...prompt, ...tokens, addGenerationPrompt: true, variables: {} });
}

test("templates that know tools get them, calls and results in their own form", () => {
  const qwen = rendered(QWEN, asked);
  expect(qwen).toContain('"name": "weather"');
  expect(qwen).toContain(
    '<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>',
  );
  expect(qwen).toContain("<tool_response>\nsunny\n</tool_response>");
  expect(rendered(LLAMA, asked)).toContain('{"name": "weather", "parameters": {"city": "Rome"}}');
});

test("ids are made short for templates that take no others, the same for call and result", () => {
  const text = rendered(MISTRAL, asked);
  const ids = [...text.matchAll(/"(?:id|call_id)": "(\w{9})"/g)].map(([, id]) => id);
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
});

test("what a template leaves to others is text of the message", () => {
  expect(rendered(SMOL, asked)).toContain(
    'assistant\n<tool_call>\n{"name": "weather", "arguments": {"city":"Rome"}}\n</tool_call>',
  );
});

test("a model whose template knows no tools is told of them in a system message", () => {
  const request = {
    ...asked,
    messages: [
      { role: "system", content: "Be short." },
      ...asked.messages,
      { role: "user", content: "And?" },
    ],
  };
  expect(rendered(ZEPHYR, request)).toBe(
    `<|system|>
Be short.

You can call these functions. Each line is one, with the JSON Schema of its arguments:
${JSON.stringify(WEATHER.function)}

To call a function, answer with this, and nothing after it:
<tool_call>
{"name": "<name>", "arguments": {<arguments>}}
</tool_call>

You are then given what it returned. Call a function only when you need it; otherwise answer in words.</s>
<|user|>
Weather?</s>
<|assistant|>
<tool_call>
{"name": "weather", "arguments": {"city":"Rome"}}
</tool_call></s>
<|user|>
<tool_response>
sunny
</tool_response>
And?</s>
<|assistant|>
`,
  );
});

test("with tool_choice none the model is told of no tools, and calls that were made stay", () => {
  const text = rendered(ZEPHYR, { ...asked, tool_choice: "none" });
  expect(text).not.toContain("You can call");
  expect(text).toContain("<tool_call>");
});
