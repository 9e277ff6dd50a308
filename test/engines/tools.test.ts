import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { ChatResponse } from "../../src/contract/chat.ts";
import type { Reply } from "../../src/types.ts";
import { chatRequest, contextFor, replyTo, sharedBackend, TIMEOUT } from "./local-backend.ts";

/** Tools with the real model, whose template knows none: it gets them by the prompt in docs/tools.md. */

setDefaultTimeout(TIMEOUT);
beforeAll(() => sharedBackend().preload("tinyllama"));

const CITY = { type: "string", minLength: 2, maxLength: 8 };
const WEATHER = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather in a city.",
    parameters: {
      type: "object",
      properties: { city: CITY, unit: { enum: ["C", "F"] } },
      required: ["city", "unit"],
      additionalProperties: false,
    },
  },
};
const NOW = { type: "function", function: { name: "get_time", description: "The time." } };
const QUESTION = "What is the weather in Paris?";
const tools = [WEATHER, NOW];
const named = { type: "function", function: { name: "get_weather" } };

interface Call {
  readonly id: string;
  readonly type: string;
  readonly function: { readonly name: string; readonly arguments: string };
}

interface Called {
  readonly content: string | null;
  readonly calls: readonly Call[];
  readonly finish: string | null;
}

async function ask(fields: object, messages?: readonly object[]): Promise<Called> {
  const more = messages === undefined ? {} : { messages };
  return read(await replyTo(chatRequest(QUESTION, { max_tokens: 80, tools, ...fields, ...more })));
}

/** A whole answer, or a stream put together as clients do. */
async function read(reply: Reply): Promise<Called> {
  if (reply.kind === "json") {
    const [choice] = ChatResponse.pick({ choices: true }).parse(reply.body).choices;
    const calls = (choice?.message.tool_calls ?? []).filter((call) => call.type === "function");
    return {
      content: choice?.message.content ?? null,
      calls,
      finish: choice?.finish_reason ?? null,
    };
  }
  let content: string | null = null;
  let finish: string | null = null;
  const calls: Call[] = [];
  for await (const group of reply.events)
    for (const { choices } of group)
      for (const choice of choices) {
        finish = choice.finish_reason ?? finish;
        if (!("delta" in choice)) continue;
        const delta = deltaOf(choice.delta);
        if (delta.content != null) content = (content ?? "") + delta.content;
        for (const { index, id, type = "", function: piece } of delta.tool_calls ?? []) {
          const call = calls[index];
          if (call === undefined) {
            expect([index, piece?.arguments]).toEqual([calls.length, ""]);
            calls.push({
              id: id ?? "",
              type,
              function: { name: piece?.name ?? "", arguments: "" },
            });
          } else {
            expect([id, piece?.name]).toEqual([undefined, undefined]);
            const given = call.function.arguments + (piece?.arguments ?? "");
            calls[index] = { ...call, function: { ...call.function, arguments: given } };
          }
        }
      }
  return { content, calls, finish };
}

interface Delta {
  readonly content?: string | null;
  readonly tool_calls?: readonly {
    readonly index: number;
    readonly id?: string;
    readonly type?: string;
    readonly function?: { readonly name?: string; readonly arguments?: string };
  }[];
}

function deltaOf(value: unknown): Delta {
  return typeof value === "object" && value !== null ? value : {};
}

const inputOf = (call: Call | undefined): unknown => JSON.parse(call?.function.arguments ?? "");

test("a named tool is called with arguments that fit its schema, whole and in a stream", async () => {
  const whole = await ask({ tool_choice: named });
  expect(whole).toMatchObject({ content: null, finish: "tool_calls" });
  expect(whole.calls).toHaveLength(1);
  const [call] = whole.calls;
  expect(call).toMatchObject({ type: "function", function: { name: "get_weather" } });
  expect(call?.id).toMatch(/^call_/);
  expect(inputOf(call)).toEqual({ city: "Paris", unit: expect.stringMatching(/^[CF]$/) });
  const streamed = await ask({ tool_choice: named, stream: true });
  expect(streamed).toMatchObject({ content: null, finish: "tool_calls" });
  expect(streamed.calls.map((each) => each.function)).toEqual(
    whole.calls.map((each) => each.function),
  );
});

test("hot or cold, a required call is one of the tools there are, with arguments that fit", async () => {
  for (const stream of [true, false, true]) {
    const asked = { tool_choice: "required", parallel_tool_calls: false, temperature: 2 };
    const { calls, content, finish } = await ask({ ...asked, stream });
    expect([calls.length, content, finish]).toEqual([1, null, "tool_calls"]);
    const [call] = calls;
    if (call?.function.name === "get_time") expect(inputOf(call)).toEqual({});
    else {
      expect(call?.function.name).toBe("get_weather");
      const city = expect.stringMatching(/^.{2,8}$/su);
      expect(inputOf(call)).toEqual({ city, unit: expect.stringMatching(/^[CF]$/) });
    }
  }
});

test("only the tools that are allowed are called", async () => {
  const allowed = { mode: "required", tools: [NOW] };
  const choice = { type: "allowed_tools", allowed_tools: allowed };
  const { calls } = await ask({ tool_choice: choice, parallel_tool_calls: false });
  expect(calls.map((call) => call.function.name)).toEqual(["get_time"]);
});

/** An earlier call in the conversation, which this small model then does once more. */
const EARLIER = [
  { role: "user", content: "What is the weather in Rome?" },
  {
    role: "assistant",
    content: null,
    tool_calls: [
      {
        id: "call_a",
        type: "function",
        function: { name: "get_weather", arguments: '{"city":"Rome","unit":"C"}' },
      },
    ],
  },
  { role: "tool", tool_call_id: "call_a", content: "sunny, 25 C" },
];

test("a model that may call tools does so, and its result is what it answers from", async () => {
  const again = [
    ...EARLIER,
    { role: "assistant", content: "It is sunny in Rome." },
    { role: "user", content: "What is the weather in Oslo?" },
  ];
  for (const stream of [false, true]) {
    const { calls, finish } = await ask({ stream, parallel_tool_calls: false }, again);
    expect(finish).toBe("tool_calls");
    expect(calls.map((call) => call.function.name)).toEqual(["get_weather"]);
    expect(inputOf(calls[0])).toMatchObject({ city: "Oslo" });
  }
  const answered = await ask({ tool_choice: "none" }, EARLIER);
  expect(answered.calls).toEqual([]);
  expect(answered.content).toMatch(/sunny|25/);
});

test("a call that is cut off says so, with what there is of its arguments", async () => {
  const { calls, finish } = await ask({ tool_choice: named, max_tokens: 16, stream: true });
  expect(finish).toBe("length");
  expect(calls[0]?.function.arguments).toStartWith('{"city": "');
});

test("wherever an answer of calls is cut, its content is null and all but the last call are whole", async () => {
  const response_format = {
    type: "json_schema",
    json_schema: { name: "x", schema: { type: "object", properties: { a: CITY } } },
  };
  for (const { stream = false, ...more } of [
    { max_tokens: 4 },
    { max_tokens: 14 },
    { max_tokens: 22 },
    { max_tokens: 22, stream: true },
    { max_tokens: 22, response_format },
  ]) {
    const asked = { temperature: 0, tool_choice: "required", tools: [NOW], stream, ...more };
    const { content, calls, finish } = await ask(asked);
    expect([content, finish]).toEqual([null, "length"]);
    for (const [index, call] of calls.entries()) {
      if (index < calls.length - 1) expect(call.function.arguments).toBe("{}");
      expect(call.function.arguments).toStartWith("{");
    }
  }
});

test("functions are answered as they were asked", async () => {
  const fields = {
    tools: undefined,
    functions: [WEATHER.function],
    function_call: { name: "get_weather" },
    max_tokens: 60,
  };
  const reply = await replyTo(chatRequest(QUESTION, fields));
  if (reply.kind !== "json") throw new Error("expected a whole answer");
  expect(reply.body.choices).toMatchObject([
    {
      message: { content: null, function_call: { name: "get_weather" } },
      finish_reason: "function_call",
    },
  ]);
});

test("a schema that can't be enforced is refused with its place, before anything is done", async () => {
  const parameters = { type: "object", properties: { a: { type: "string", format: "x-odd" } } };
  const odd = {
    type: "function",
    function: { name: "odd", parameters: { ...parameters, not: {} } },
  };
  const context = contextFor();
  const asked = replyTo(chatRequest(QUESTION, { tools: [NOW, odd] }), context);
  expect(asked).rejects.toMatchObject({
    kind: "invalid_request",
    param: expect.stringMatching(/^tools\[1\]\.function\.parameters/),
  });
  await asked.catch(() => undefined);
  expect(context.meter.startedAt).toBe(0);
});
