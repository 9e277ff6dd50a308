import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GPT_OSS } from "../../src/engines/harmony/family.ts";
import { QWEN_CODER } from "../../src/engines/tools/pair-families.ts";
import { ROOT, startStarterCovey, type TestCovey } from "../covey.ts";

/** The starter model's weights under the templates of families that write calls in other ways, by HTTP. */

setDefaultTimeout(120_000);
const TEMPLATES = {
  coder: QWEN_CODER,
  channels: GPT_OSS,
};
let covey: TestCovey;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "covey-forms-"));
  const file = readFileSync(join(ROOT, "catalog/models/tinyllama-1.1b-chat.toml"), "utf8");
  for (const [name, template] of Object.entries(TEMPLATES)) {
    writeFileSync(join(folder, `${name}.jinja`), template);
    const own = `id = "test/${name}"\ntemplate_file = "${join(folder, `${name}.jinja`)}"`;
    const text = file.replace(/^id = .*$/m, own).replace(/^aliases = .*$/m, "");
    writeFileSync(join(folder, `${name}.toml`), text);
  }
  const toml = `[engine]\npreload = false\nthreads = 1\nsequences = 1\n[models]\nfolders = ["${folder}"]\n`;
  covey = await startStarterCovey({ toml });
});
afterAll(async () => {
  await covey.close();
  rmSync(folder, { recursive: true, force: true });
});

const CITY = { type: "string", minLength: 2, maxLength: 8 };
const tools = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "The weather in a city.",
      parameters: {
        type: "object",
        properties: {
          city: CITY,
          days: { type: "integer", minimum: 1, maximum: 9 },
          tags: { type: "array", items: { type: "string", maxLength: 6 }, maxItems: 2 },
          unit: { enum: ["C", "F"] },
        },
        required: ["city", "days", "tags", "unit"],
        additionalProperties: false,
      },
    },
  },
];
const FITS = {
  city: expect.stringMatching(/^.{2,8}$/su),
  days: expect.any(Number),
  tags: expect.any(Array),
  unit: expect.stringMatching(/^[CF]$/),
};
const named = { type: "function", function: { name: "get_weather" } };
const QUESTION = { role: "user", content: "What is the weather in Paris?" };

interface Message {
  readonly content: string | null;
  readonly reasoning_content?: string;
  readonly tool_calls?: { id: string; function: { name: string; arguments: string } }[];
}

async function ask(model: string, fields: object) {
  const response = await fetch(`${covey.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model: `test/${model}`,
      messages: [QUESTION],
      max_tokens: 160,
      seed: 1,
      ...fields,
    }),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(text);
  if (text.startsWith("{")) {
    const { choices, usage } = JSON.parse(text);
    const message: Message = choices[0].message;
    return { message, finish: choices[0].finish_reason, usage };
  }
  let content = "";
  let reasoning = "";
  let finish: string | null = null;
  const calls: { id: string; function: { name: string; arguments: string } }[] = [];
  for (const [, data = ""] of text.matchAll(/^data: (\{.*)$/gm))
    for (const { delta, finish_reason } of JSON.parse(data).choices) {
      finish = finish_reason ?? finish;
      content += delta.content ?? "";
      reasoning += delta.reasoning_content ?? "";
      for (const { index, id, function: piece } of delta.tool_calls ?? [])
        if (calls[index] === undefined) calls.push({ id, function: { ...piece } });
        else calls[index].function.arguments += piece.arguments;
    }
  const message: Message = { content, reasoning_content: reasoning, tool_calls: calls };
  return { message, finish, usage: null };
}

const inputOf = ({ tool_calls: calls = [] }: Message): unknown =>
  JSON.parse(calls[0]?.function.arguments ?? "");

test("calls written as tags are guided, whole and in a stream, hot and cold", async () => {
  const whole = await ask("coder", { tools, tool_choice: named, temperature: 0 });
  expect(whole).toMatchObject({ message: { content: null }, finish: "tool_calls" });
  expect(inputOf(whole.message)).toEqual(FITS);
  const streamed = await ask("coder", { tools, tool_choice: named, temperature: 0, stream: true });
  expect(streamed.message.tool_calls?.[0]?.function).toEqual(
    whole.message.tool_calls?.[0]?.function ?? { name: "", arguments: "" },
  );
  const hot = { tools, tool_choice: "required", parallel_tool_calls: false, temperature: 2 };
  const { message, finish } = await ask("coder", hot);
  if (finish !== "length") expect(inputOf(message)).toEqual(FITS);
});

test("a call and its result are fed back as the template writes them", async () => {
  const { message } = await ask("coder", { tools, tool_choice: named, temperature: 0 });
  const id = message.tool_calls?.[0]?.id;
  const result = { role: "tool", tool_call_id: id, content: "sunny, 25 C" };
  const answered = await ask("coder", {
    messages: [QUESTION, { role: "assistant", ...message }, result],
    temperature: 0,
    max_tokens: 8,
  });
  expect(answered.message.content).toMatch(/\w/);
});

test("what a template's pairs can't hold is asked for in the form of the documented prompt", async () => {
  const free = { type: "object", additionalProperties: { type: "integer", maximum: 99 } };
  const function_ = { name: "note", parameters: free };
  const { message, finish } = await ask("coder", {
    tools: [{ type: "function", function: function_ }],
    tool_choice: "required",
    parallel_tool_calls: false,
    temperature: 0,
  });
  if (finish === "tool_calls") expect(inputOf(message)).toBeObject();
  expect(message.content).toBeNull();
});

test("an answer in channels is told apart, and its calls are guided", async () => {
  const { message, finish } = await ask("channels", {
    tools,
    tool_choice: "required",
    temperature: 1,
    max_tokens: 160,
  });
  expect(message.content).toBeNull();
  if (finish === "tool_calls") expect(inputOf(message)).toEqual(FITS);
  const form = await ask("channels", {
    response_format: { type: "json_object" },
    temperature: 1,
    max_tokens: 60,
  });
  expect(form.message.content ?? "").not.toContain("<|");
  if (form.finish === "stop") expect(JSON.parse(form.message.content ?? "")).toBeObject();
  const begun = await ask("channels", {
    messages: [QUESTION, { role: "assistant", content: "The weather in Paris is" }],
    continue_final_message: true,
    max_tokens: 12,
  });
  expect(begun.message).toMatchObject({ content: expect.stringMatching(/\w/) });
  expect(begun.message.reasoning_content).toBeUndefined();
});
