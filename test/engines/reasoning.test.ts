import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { ChatRequest } from "../../src/contract/chat.ts";
import type { LocalBackend } from "../../src/engines/index.ts";
import type { Model } from "../../src/types.ts";
import { backendWith, chatRequest, contextFor, model, replyTo, TIMEOUT } from "./local-backend.ts";

/**
 * The starter model, which does not think, under a template that opens thinking. What its file says
 * closes it is the end of a sentence: its first one is its thinking.
 */
const TEMPLATE =
  "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}</s>\n{% endfor %}" +
  "{% if add_generation_prompt %}<|assistant|>\n{% if enable_thinking is not false and not itself %}<think>\n{% endif %}{% endif %}";
const thinker: Model = {
  ...model,
  file: { ...model.file, template: TEMPLATE, reasoning: { open: "<think>", close: "." } },
};
const QUESTION = "Tell me about Paris.";

setDefaultTimeout(TIMEOUT);
let backend: LocalBackend;
beforeAll(async () => {
  backend = backendWith({}, undefined, [thinker]);
  await backend.preload("tinyllama");
});
afterAll(() => backend.close?.());

interface Said {
  readonly content: string;
  readonly reasoning: string;
  readonly finish: string | null;
  readonly tokens: number;
  readonly reasoningTokens: number;
}

async function ask(fields: object = {}, prefill: string | null = null): Promise<Said> {
  const request = chatRequest(QUESTION, { max_tokens: 40, seed: 1, ...fields });
  const context = { ...contextFor(), prefill };
  const reply = await replyTo(request, context, backend);
  const bodies: unknown[] = [];
  if (reply.kind === "json") bodies.push(reply.body);
  else for await (const group of reply.events) bodies.push(...group);
  let content = "";
  let reasoning = "";
  let finish: string | null = null;
  let usage = { completion_tokens: 0, completion_tokens_details: { reasoning_tokens: 0 } };
  for (const body of bodies) {
    // Whole answers and chunks alike, as a client reads them.
    const { choices, usage: told } = JSON.parse(JSON.stringify(body));
    for (const choice of choices) {
      const said = choice.delta ?? choice.message;
      content += said.content ?? "";
      reasoning += said.reasoning_content ?? "";
      expect(said.reasoning).toBe(said.reasoning_content);
      finish = choice.finish_reason ?? finish;
    }
    usage = told ?? usage;
  }
  const { completion_tokens: tokens, completion_tokens_details: details } = usage;
  return { content, reasoning, finish, tokens, reasoningTokens: details.reasoning_tokens };
}

test("thinking that the template opens goes into reasoning_content, whole and in a stream, and is counted", async () => {
  const whole = await ask();
  expect(whole.reasoning).toMatch(/^\w[^.]*$/);
  expect(whole.content).toMatch(/^\w/);
  expect(whole.reasoningTokens).toBeGreaterThan(3);
  expect(whole.reasoningTokens).toBeLessThan(whole.tokens);
  expect(await ask({ stream: true })).toEqual(whole);
});

test("a template that is told not to think opens none, by its own variable or by reasoning_effort", async () => {
  for (const fields of [
    { chat_template_kwargs: { enable_thinking: false } },
    { reasoning_effort: "none" },
  ])
    expect(await ask(fields)).toMatchObject({ reasoning: "", reasoningTokens: 0 });
});

test("thinking can be left out, and is counted all the same", async () => {
  const shown = await ask();
  expect(await ask({ include_reasoning: false })).toEqual({ ...shown, reasoning: "" });
});

test("a stop string ends the answer's words, not its thinking", async () => {
  const { reasoning, content } = await ask();
  expect((await ask({ stop: reasoning.slice(2, 9) })).reasoning).toBe(reasoning);
  const stopped = await ask({ stop: content.slice(3, 8), stream: true });
  expect(stopped).toMatchObject({ reasoning, content: content.slice(0, 3), finish: "stop" });
});

test("an answer that must have a form has it behind its thinking, or without any for who wants none", async () => {
  const form = { response_format: { type: "json_object" }, max_tokens: 64 };
  const thought = await ask(form);
  expect(thought.reasoning).toMatch(/^\w[^.]*$/);
  expect(thought.content[0]).toBe("{");
  expect(await ask({ ...form, stream: true })).toEqual(thought);
  for (const off of [
    { reasoning_effort: "none" },
    { chat_template_kwargs: { enable_thinking: false } },
  ]) {
    const { reasoning, content } = await ask({ ...form, ...off, max_tokens: 16 });
    expect([reasoning, content[0]]).toEqual(["", "{"]);
  }
  const cut = await ask({ ...form, max_tokens: 3 });
  expect(cut).toMatchObject({ content: "", finish: "length" });
});

test("a form that begins with the mark that opens thinking is the answer, all of it", async () => {
  const itself = { chat_template_kwargs: { itself: true }, max_tokens: 64 };
  for (const asked of [
    { ...itself, guided_regex: "<think>[ab]{3}" },
    { ...itself, guided_regex: "\\n?<think>[ab]{3}", stream: true },
    { ...itself, guided_choice: ["<think>aba"] },
    { reasoning_effort: "none", guided_choice: ["<think>aba"] },
  ]) {
    const { content, reasoning, finish, reasoningTokens } = await ask(asked);
    expect([reasoning, reasoningTokens, finish]).toEqual(["", 0, "stop"]);
    expect(content).toMatch(/^\n?<think>[ab]{3}$/);
  }
  const json = await ask({ ...itself, response_format: { type: "json_object" } });
  expect(json.content).toStartWith("{");
});

test("a call that must be comes behind thinking, with arguments that fit", async () => {
  const parameters = { type: "object", properties: { n: { enum: [1, 2] } }, required: ["n"] };
  const tool = { type: "function", function: { name: "count", parameters } };
  const choice = { type: "function", function: { name: "count" } };
  const request = chatRequest(QUESTION, { max_tokens: 80, tools: [tool], tool_choice: choice });
  const reply = await replyTo(request, contextFor(), backend);
  if (reply.kind !== "json") throw new Error("expected a whole answer");
  expect(reply.body.choices).toMatchObject([
    {
      message: {
        content: null,
        reasoning_content: expect.stringMatching(/\w/),
        tool_calls: [
          { function: { name: "count", arguments: expect.stringMatching(/^\{"n": [12]\}$/) } },
        ],
      },
      finish_reason: "tool_calls",
    },
  ]);
});

test("an answer that goes on after its words began has no thinking", async () => {
  const resumed = await ask({}, "Paris is the");
  expect(resumed.reasoning).toBe("");
  expect(resumed.content).not.toBe("");
});

test("a caller's beginning of thinking is gone on with as thinking", async () => {
  const messages = [
    { role: "user", content: QUESTION },
    { role: "assistant", content: "<think>I know that Paris" },
  ];
  const begun = ChatRequest.parse({
    ...chatRequest(QUESTION, { max_tokens: 32 }),
    messages,
    continue_final_message: true,
  });
  const said = await ask(begun);
  expect(said.reasoning).not.toBe("");
});
