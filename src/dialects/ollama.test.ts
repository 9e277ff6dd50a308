import { afterEach, expect, test } from "bun:test";
import {
  bodyOf,
  catalogSettings,
  context,
  eventsOf,
  serve,
  target,
  thrown,
} from "../../test/dialects/backend.ts";
import type { ChatRequest } from "../contract/chat.ts";
import { createBackend } from "./index.ts";

/** Ollama's own API: what it is sent, and its lines as OpenAI's events. */

let upstream: ReturnType<typeof serve>;
afterEach(() => upstream.close());

const DONE = { message: { role: "assistant", content: "" }, done: true, done_reason: "stop" };
const lines = (...values: object[]): Response =>
  new Response(values.map((value) => `${JSON.stringify(value)}\n`).join(""), {
    headers: { "content-type": "application/x-ndjson" },
  });

async function chat(
  answer: () => Response,
  fields: Partial<ChatRequest> & Record<string, unknown>,
  call = context(),
) {
  upstream = serve(answer);
  const settings = await catalogSettings("ollama", { baseUrl: upstream.origin });
  const run = createBackend(settings).operations.chat;
  if (run === undefined) throw new Error("no chat");
  const messages: ChatRequest["messages"] = [{ role: "user", content: "hi" }];
  return run(target("llama3:8b"), { model: "m", messages, ...fields }, call);
}

test("options, tools, pictures and a schema are written as Ollama reads them", async () => {
  const call = context();
  const tools: ChatRequest["tools"] = [{ type: "function", function: { name: "f" } }];
  const png =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  const messages: ChatRequest["messages"] = [
    { role: "developer", content: "be brief" },
    {
      role: "user",
      content: [
        { type: "text", text: "what is this?" },
        { type: "image_url", image_url: { url: `data:image/png;base64,${png}` } },
      ],
    },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: '{"x":1}' } }],
    },
    { role: "tool", content: "42", tool_call_id: "a", zzz: 1 },
  ];
  await chat(
    () => Response.json(DONE),
    {
      messages,
      tools,
      max_tokens: 20,
      temperature: 0.5,
      stop: "end",
      repetition_penalty: 1.1,
      reasoning_effort: "high",
      mirostat: 2,
      logit_bias: { "5": 1 },
      tool_choice: "required",
      user: "me",
      response_format: {
        type: "json_schema",
        json_schema: { name: "x", schema: { type: "object" } },
      },
    },
    call,
  );
  expect(upstream.seen[0]).toMatchObject({ path: "/api/chat" });
  expect(upstream.seen[0]?.body).toEqual({
    model: "llama3:8b",
    stream: false,
    tools,
    think: "high",
    format: { type: "object" },
    options: {
      num_predict: 20,
      temperature: 0.5,
      stop: ["end"],
      repeat_penalty: 1.1,
      top_p: 1,
      top_k: 0,
      min_p: 0,
    },
    messages: [
      { role: "system", content: "be brief" },
      { role: "user", content: "what is this?", images: [png] },
      {
        role: "assistant",
        content: "",
        tool_calls: [{ function: { name: "f", arguments: { x: 1 } } }],
      },
      { role: "tool", content: "42", tool_name: "f" },
    ],
  });
  expect([...call.dropped].sort()).toEqual([
    "logit_bias",
    "messages.zzz",
    "mirostat",
    "tool_choice",
  ]);
});

test("a stream's lines become events, with usage", async () => {
  const reply = await chat(
    () =>
      lines(
        { message: { role: "assistant", content: "", thinking: "hm" }, done: false },
        { message: { role: "assistant", content: "Hel" }, done: false },
        { message: { content: "lo" }, done: false },
        { ...DONE, done_reason: "length", prompt_eval_count: 9, eval_count: 3 },
      ),
    { stream: true },
  );
  expect(await eventsOf(reply)).toMatchObject([
    { choices: [{ delta: { role: "assistant", reasoning: "hm", reasoning_content: "hm" } }] },
    { choices: [{ delta: { content: "Hel" } }] },
    { choices: [{ delta: { content: "lo" } }] },
    { choices: [{ delta: {}, finish_reason: "length" }] },
    { usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 } },
  ]);
});

test("a choice out of a list is given as itself, not as JSON", async () => {
  const pieces = ['"', "ye", 's"'].map((content) => ({ message: { content }, done: false }));
  const fields = { guided_choice: ["yes", "no"] };
  const stream = await chat(() => lines(...pieces, DONE), { ...fields, stream: true });
  const events = await eventsOf(stream);
  const text = events.flatMap(({ choices }) =>
    choices.map((one) => ("delta" in one ? one.delta : {})),
  );
  expect(text.map((delta) => (delta as { content?: string }).content ?? "").join("")).toBe("yes");
  expect(upstream.seen[0]?.body.format).toEqual({ type: "string", enum: ["yes", "no"] });
  await upstream.close();
  const whole = await chat(() => Response.json({ ...DONE, message: { content: '"no"' } }), fields);
  expect(bodyOf(whole)).toMatchObject({ choices: [{ message: { content: "no" } }] });
});

test("an error amid the lines is one of the provider's, after what came before it", async () => {
  const reply = await chat(
    () => lines({ message: { content: "a" }, done: false }, { error: "out of memory" }),
    { stream: true },
  );
  expect(await thrown(eventsOf(reply))).toMatchObject({ kind: "upstream_error", fault: "broken" });
});

test("an unloaded model is no answer", async () => {
  const unloaded = () => Response.json({ ...DONE, done_reason: "unload" });
  expect(await thrown(chat(unloaded, {}))).toMatchObject({ fault: "broken" });
});

test("a text is completed as it is, after what was begun", async () => {
  upstream = serve(() => Response.json({ response: " time", done: true, done_reason: "stop" }));
  const settings = await catalogSettings("ollama", { baseUrl: upstream.origin });
  const { operations } = createBackend(settings);
  const call = context(" a");
  const input = { model: "m", prompt: "Once upon", max_tokens: 5, logprobs: 1 };
  const reply = await operations.completions?.(target("up"), input, call);
  expect(upstream.seen[0]).toMatchObject({
    path: "/api/generate",
    body: { model: "up", prompt: "Once upon a", raw: true, options: { num_predict: 5 } },
  });
  expect(reply).toMatchObject({ body: { choices: [{ text: " time", finish_reason: "stop" }] } });
  expect([...call.dropped]).toEqual(["logprobs"]);
});
