import { describe, expect, test } from "bun:test";
import type { z } from "zod";
import { ChatRequest } from "./chat.ts";
import { CompletionRequest } from "./completions.ts";
import { EmbeddingsRequest } from "./embeddings.ts";
import { GatewayError } from "./errors.ts";
import { DetokenizeRequest, TokenizeRequest } from "./tokenize.ts";
import { UpscaleRequest } from "./upscale.ts";
import { parseRequest } from "./validate.ts";

const messages = [{ role: "user", content: "Hi" }];
const chat = { model: "a/b", messages };
const tool = { type: "function", function: { name: "f" } };

function refusal(run: () => unknown): GatewayError {
  try {
    run();
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
  throw new Error("was accepted");
}

describe("a refused chat request says what, where and what would be right", () => {
  const user = (content: unknown) => ({ messages: [{ role: "user", content }] });
  const cases: [over: object, param: string, message: string][] = [
    [
      { model: undefined },
      "model",
      "Missing required parameter: 'model'. Expected a non-empty string.",
    ],
    [{ model: "" }, "model", "Invalid value for 'model': expected a non-empty string, but got ''."],
    [
      { messages: undefined },
      "messages",
      "Missing required parameter: 'messages'. Expected a non-empty array of objects.",
    ],
    [
      { messages: [] },
      "messages",
      "Invalid value for 'messages': expected a non-empty array of objects, but got an empty array.",
    ],
    [
      { messages: {} },
      "messages",
      "Invalid type for 'messages': expected a non-empty array of objects, but got an object.",
    ],
    [
      { messages: ["Hi"] },
      "messages[0]",
      "Invalid type for 'messages[0]': expected an object, but got a string.",
    ],
    [
      { messages: [...messages, { role: "robot", content: "" }] },
      "messages[1].role",
      "Invalid value for 'messages[1].role': 'robot'. Supported values are: 'developer', 'system', 'user', 'assistant', 'tool', 'function'.",
    ],
    [
      { messages: [{ content: "Hi" }] },
      "messages[0].role",
      "Missing required parameter: 'messages[0].role'. Expected one of 'developer', 'system', 'user', 'assistant', 'tool', 'function'.",
    ],
    [
      user(undefined),
      "messages[0].content",
      "Missing required parameter: 'messages[0].content'. Expected a string or a non-empty array of objects.",
    ],
    [
      user(7),
      "messages[0].content",
      "Invalid type for 'messages[0].content': expected a string or a non-empty array of objects, but got a number.",
    ],
    [
      user([]),
      "messages[0].content",
      "Invalid value for 'messages[0].content': expected a string or a non-empty array of objects, but got an empty array.",
    ],
    [
      user([{ type: "text" }]),
      "messages[0].content[0].text",
      "Missing required parameter: 'messages[0].content[0].text'. Expected a string.",
    ],
    [
      user([{ type: "image" }]),
      "messages[0].content[0].type",
      "Invalid value for 'messages[0].content[0].type': 'image'. Supported values are: 'text', 'image_url', 'input_audio', 'file', 'video_url'.",
    ],
    [
      user([{ type: "image_url", image_url: { url: "u", detail: "huge" } }]),
      "messages[0].content[0].image_url.detail",
      "Invalid value for 'messages[0].content[0].image_url.detail': 'huge'. Supported values are: 'auto', 'low', 'high'.",
    ],
    [
      { temperature: "hot" },
      "temperature",
      "Invalid type for 'temperature': expected a number between 0 and 2, but got a string.",
    ],
    [
      { temperature: 3 },
      "temperature",
      "Invalid value for 'temperature': expected a number between 0 and 2, but got 3.",
    ],
    [
      { temperature: Number.POSITIVE_INFINITY },
      "temperature",
      "Invalid type for 'temperature': expected a number between 0 and 2, but got a number too large.",
    ],
    [
      { max_tokens: 0 },
      "max_tokens",
      "Invalid value for 'max_tokens': expected an integer of at least 1, but got 0.",
    ],
    [
      { max_tokens: 1.5 },
      "max_tokens",
      "Invalid type for 'max_tokens': expected an integer of at least 1, but got 1.5.",
    ],
    [{ seed: 1.5 }, "seed", "Invalid value for 'seed': expected an integer, but got 1.5."],
    [
      { seed: 2 ** 70 },
      "seed",
      "Invalid value for 'seed': a seed is a whole number from -2^63 to 2^63.",
    ],
    [
      { eta_cutoff: 10_001 },
      "eta_cutoff",
      "Invalid value for 'eta_cutoff': expected a number between 0 and 10000, but got 10001.",
    ],
    [
      { max_tokens: 3, max_completion_tokens: 5 },
      "max_tokens",
      "'max_tokens' is the older name of 'max_completion_tokens', and the two differ (3 and 5): send one of them.",
    ],
    [
      {
        tools: [{ type: "function", function: { name: "f" } }],
        functions: [{ name: "f" }],
      },
      "functions",
      "'functions' is the older form of 'tools': send one of them.",
    ],
    [
      { repetition_penalty: 0 },
      "repetition_penalty",
      "Invalid value for 'repetition_penalty': expected a number between 0.01 and 100, but got 0.",
    ],
    [
      { n: 2 },
      "n",
      "Invalid value for 'n': only n = 1 is supported; send the request again for another answer.",
    ],
    [
      { stop: [] },
      "stop",
      "Invalid value for 'stop': expected a string or an array of 1 to 4 strings, but got an empty array.",
    ],
    [
      { stop: ["a", 1] },
      "stop[1]",
      "Invalid type for 'stop[1]': expected a string, but got a number.",
    ],
    [
      { stop: 1 },
      "stop",
      "Invalid type for 'stop': expected a string or an array of 1 to 4 strings, but got a number.",
    ],
    [
      { stop: ["a", "b", "c", "d", "e"] },
      "stop",
      "Invalid value for 'stop': expected an array of 1 to 4 strings, but got an array of 5 items.",
    ],
    [{ stop: "" }, "stop", "Invalid value for 'stop': an empty text ends no answer; leave it out."],
    [
      { stop: ["a", ""] },
      "stop",
      "Invalid value for 'stop': an empty text ends no answer; leave it out.",
    ],
    [
      { top_k: 2 ** 53 },
      "top_k",
      "Invalid value for 'top_k': expected an integer of at least -1 and at most 9007199254740991, but got 9007199254740992.",
    ],
    [
      { max_tokens: 1e30 },
      "max_tokens",
      "Invalid value for 'max_tokens': expected an integer of at least 1 and at most 9007199254740991, but got 1e+30.",
    ],
    [
      { logit_bias: { hello: 1 } },
      "logit_bias",
      "Invalid key in 'logit_bias': the keys must be token ids, such as \"50256\".",
    ],
    [
      { logit_bias: { 5: 101 } },
      "logit_bias.5",
      "Invalid value for 'logit_bias.5': expected a number between -100 and 100, but got 101.",
    ],
    [{ user: null }, "user", "Invalid type for 'user': expected a string, but got null."],
    [
      { safety_identifier: "x".repeat(65) },
      "safety_identifier",
      `Invalid value for 'safety_identifier': expected a string of at most 64 characters, but got '${"x".repeat(40)}…' (65 characters).`,
    ],
    [
      { tools: [{ type: "function", function: {} }] },
      "tools[0].function.name",
      "Missing required parameter: 'tools[0].function.name'. Expected a string.",
    ],
    [
      { tools: [{ type: "function", function: { name: "a b" } }] },
      "tools[0].function.name",
      "Invalid value for 'tools[0].function.name': expected 1 to 64 characters out of a-z, A-Z, 0-9, underscore and dash.",
    ],
    [
      { tools: [tool], tool_choice: "maybe" },
      "tool_choice",
      "Invalid value for 'tool_choice': 'maybe'. Supported values are: 'none', 'auto', 'required'.",
    ],
    [
      { tools: [tool], tool_choice: { type: "function" } },
      "tool_choice.function",
      "Missing required parameter: 'tool_choice.function'. Expected an object.",
    ],
    [
      { tools: [tool], tool_choice: { type: "tool" } },
      "tool_choice.type",
      "Invalid value for 'tool_choice.type': 'tool'. Supported values are: 'function', 'custom', 'allowed_tools'.",
    ],
    [
      { tool_choice: "required" },
      "tool_choice",
      "This 'tool_choice' is only allowed when 'tools' are sent too.",
    ],
    [
      { response_format: { type: "xml" } },
      "response_format.type",
      "Invalid value for 'response_format.type': 'xml'. Supported values are: 'text', 'json_object', 'json_schema'.",
    ],
    [
      { response_format: { type: "json_schema" } },
      "response_format.json_schema",
      "Missing required parameter: 'response_format.json_schema'. Expected an object.",
    ],
    [
      { response_format: { type: "json_schema", json_schema: { name: "x", shape: {} } } },
      "response_format.json_schema.schema",
      "Missing required parameter: 'response_format.json_schema.schema'. Expected an object.",
    ],
    [
      { response_format: "json" },
      "response_format",
      "Invalid type for 'response_format': expected an object, but got a string.",
    ],
    [
      { top_logprobs: 2 },
      "top_logprobs",
      "The 'top_logprobs' parameter is only allowed when 'logprobs' is true.",
    ],
    [
      { stream_options: { include_usage: true } },
      "stream_options",
      "The 'stream_options' parameter is only allowed when 'stream' is true.",
    ],
    [
      { guided_regex: "a", guided_choice: ["a"] },
      "guided_choice",
      "At most one of guided_json, guided_regex, guided_choice, guided_grammar may be sent; got 'guided_regex' and 'guided_choice'.",
    ],
    [
      { mirostat: 3 },
      "mirostat",
      "Invalid value for 'mirostat': expected an integer between 0 and 2, but got 3.",
    ],
  ];
  for (const [over, param, message] of cases) {
    test(message.slice(0, 100), () => {
      const error = refusal(() => parseRequest(ChatRequest, { ...chat, ...over }));
      expect(error.toBody()).toEqual({
        error: { message, type: "invalid_request_error", param, code: null },
      });
      expect(error.status).toBe(400);
    });
  }

  test("a body that is no object blames no field", () => {
    for (const [body, kind] of [
      [[], "an array"],
      [null, "null"],
      ["{}", "a string"],
      [3, "a number"],
    ] as const) {
      const error = refusal(() => parseRequest(ChatRequest, body));
      expect(error.param).toBeNull();
      expect(error.message).toBe(`The request body must be a JSON object, but it is ${kind}.`);
    }
  });

  test("no message repeats more than a little of what was sent", () => {
    const long = "y".repeat(100_000);
    for (const over of [
      { model: 1, [long]: 1 },
      { messages: [{ role: long, content: "" }] },
      { stop: [1, long] },
      { temperature: long },
      { logit_bias: { [long]: 1 } },
      { metadata: { [long]: 1 } },
      { tools: [{ type: long }] },
      { reasoning_effort: [long] },
    ]) {
      const error = refusal(() => parseRequest(ChatRequest, { ...chat, ...over }));
      expect(error.message.match(/y+/)?.[0].length ?? 0).toBeLessThanOrEqual(60);
      expect(error.param?.length ?? 0).toBeLessThan(80);
    }
  });
});

describe("other requests", () => {
  const cases: [schema: z.ZodType, body: object, param: string | null][] = [
    [CompletionRequest, { model: "m" }, "prompt"],
    [CompletionRequest, { model: "m", prompt: [] }, "prompt"],
    [CompletionRequest, { model: "m", prompt: [1, "a"] }, "prompt[1]"],
    [CompletionRequest, { model: "m", prompt: ["a", 1] }, "prompt[1]"],
    [CompletionRequest, { model: "m", prompt: [[1], [1, -2]] }, "prompt[1][1]"],
    [CompletionRequest, { model: "m", prompt: [[1], []] }, "prompt[1]"],
    [CompletionRequest, { model: "m", prompt: "a", best_of: 2 }, "best_of"],
    [TokenizeRequest, { model: "m" }, "input"],
    [TokenizeRequest, { model: "m", input: "a", text: "b" }, "text"],
    [TokenizeRequest, { model: "m", prompt: "a", messages }, "messages"],
    [TokenizeRequest, { model: "m", prompt: 5 }, "prompt"],
    [EmbeddingsRequest, { model: "m" }, "input"],
    [EmbeddingsRequest, { model: "m", input: [] }, "input"],
    [EmbeddingsRequest, { model: "m", input: ["a", 1] }, "input[1]"],
    [EmbeddingsRequest, { model: "m", input: "a", encoding_format: null }, "encoding_format"],
    [EmbeddingsRequest, { model: "m", input: "a", encoding_format: "int8" }, "encoding_format"],
    [EmbeddingsRequest, { model: "m", input: "a", dimensions: 0 }, "dimensions"],
    [DetokenizeRequest, { model: "m", tokens: [1, 2.5] }, "tokens[1]"],
    [DetokenizeRequest, { model: "m" }, "tokens"],
  ];
  for (const [schema, body, param] of cases) {
    test(`${JSON.stringify(body)} blames ${param}`, () => {
      expect(refusal(() => parseRequest(schema, body)).param).toBe(param);
    });
  }

  test("a mixed prompt is blamed for the item that does not match the first", () => {
    const message = (prompt: unknown) =>
      refusal(() => parseRequest(CompletionRequest, { model: "m", prompt })).message;
    expect(message([1, "a"])).toBe(
      "Invalid type for 'prompt[1]': expected an integer of at least 0, but got a string.",
    );
    expect(message(["a", 1])).toBe(
      "Invalid type for 'prompt[1]': expected a string, but got a number.",
    );
    expect(message([[1], []])).toBe(
      "Invalid value for 'prompt[1]': expected a non-empty array of integers, but got an empty array.",
    );
    expect(message(5)).toBe(
      "Invalid type for 'prompt': expected a string or an array of 1 to 2048 strings or a non-empty array of integers or an array of 1 to 2048 arrays of integers, but got a number.",
    );
  });

  test("a number that is none of a few, and a fraction among tokens, is shown, with what would be right", () => {
    const upscale = (resize_mode: unknown) =>
      refusal(() => parseRequest(UpscaleRequest, { image: "x", resize_mode })).message;
    expect(upscale(2)).toBe("Invalid value for 'resize_mode': expected 0 or 1, but got 2.");
    expect(upscale(true)).toBe(
      "Invalid type for 'resize_mode': expected 0 or 1, but got a boolean.",
    );
    const embedding = (input: unknown) =>
      refusal(() => parseRequest(EmbeddingsRequest, { model: "m", input }));
    expect(embedding([1.5])).toMatchObject({
      param: "input[0]",
      message: expect.stringMatching(/expected an integer.*, but got 1\.5\.$/),
    });
    expect(embedding([5, 1.5]).message).toMatch(/'input\[1\]': expected an integer.*got 1\.5/);
    expect(embedding([-1]).message).toMatch(/'input\[0\]': expected an integer.*got -1/);
    expect(embedding([[2, 0.5]])).toMatchObject({ param: "input[0][1]" });
    expect(embedding([true]).message).toContain("expected a string, but got a boolean");
  });

  test("lists have 2048 prompts or inputs at most, as at OpenAI, and one text as many tokens as it has", () => {
    const of = (prompt: unknown) =>
      refusal(() => parseRequest(CompletionRequest, { model: "m", prompt }));
    const embedding = (input: unknown) =>
      refusal(() => parseRequest(EmbeddingsRequest, { model: "m", input }));
    for (const item of ["a", [1]]) {
      expect(of(Array(2049).fill(item))).toMatchObject({
        status: 400,
        param: "prompt",
        message:
          "Invalid value for 'prompt': a request has 2048 prompts at most; send the others in another one.",
      });
      expect(embedding(Array(2049).fill(item)).param).toBe("input");
      parseRequest(CompletionRequest, { model: "m", prompt: Array(2048).fill(item) });
    }
    parseRequest(CompletionRequest, { model: "m", prompt: Array(5000).fill(1) });
  });

  test("prompts come as text, texts, tokens and token lists; each source of tokens alone is enough", () => {
    for (const prompt of ["a", ["a", "b"], [1, 2], [[1], [2, 3]], null]) {
      expect<unknown>(parseRequest(CompletionRequest, { model: "m", prompt }).prompt).toEqual(
        prompt,
      );
    }
    for (const source of [{ input: "a" }, { text: "" }, { prompt: "a" }, { messages }]) {
      expect<object>(parseRequest(TokenizeRequest, { model: "m", ...source })).toMatchObject(
        source,
      );
    }
  });
});
