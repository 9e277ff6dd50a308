import { describe, expect, test } from "bun:test";
import type { z } from "zod";
import { ChatRequest } from "../../src/contract/chat.ts";
import { CompletionRequest } from "../../src/contract/completions.ts";
import { EmbeddingsRequest } from "../../src/contract/embeddings.ts";
import { TokenizeRequest } from "../../src/contract/tokenize.ts";
import { parseRequest } from "../../src/contract/validate.ts";

const tools = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "Get current weather for a location",
      strict: true,
      parameters: {
        type: "object",
        properties: { location: { type: "string" }, unit: { enum: ["celsius", "fahrenheit"] } },
        required: ["location"],
        additionalProperties: false,
      },
    },
  },
];

const image = { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } };

/** Bodies as clients really send them, by the client. */
const bodies: [name: string, schema: z.ZodType, body: object][] = [
  [
    "openai SDK: a conversation with a tool call and its answer",
    ChatRequest,
    {
      model: "gpt-4o",
      messages: [
        { role: "developer", content: [{ type: "text", text: "Be brief." }] },
        { role: "user", content: "Weather in Paris?", name: "ann" },
        {
          role: "assistant",
          content: null,
          refusal: null,
          annotations: [],
          tool_calls: [
            {
              id: "call_1",
              type: "function",
              function: { name: "get_weather", arguments: '{"location": "Paris"}' },
            },
          ],
        },
        { role: "tool", tool_call_id: "call_1", content: '{"celsius": 21}' },
      ],
      tools,
      tool_choice: { type: "function", function: { name: "get_weather" } },
      parallel_tool_calls: false,
      stream: true,
      stream_options: { include_usage: true },
    },
  ],
  [
    "openai SDK: structured output",
    ChatRequest,
    {
      model: "gpt-4o",
      messages: [{ role: "user", content: "Jane, 54" }],
      response_format: {
        type: "json_schema",
        json_schema: {
          name: "person",
          strict: true,
          schema: { type: "object", properties: { name: { type: "string" } } },
        },
      },
      logprobs: true,
      top_logprobs: 5,
      reasoning_effort: "high",
      verbosity: "low",
      service_tier: "flex",
      store: false,
      metadata: { team: "blue" },
    },
  ],
  [
    "an older SDK: functions",
    ChatRequest,
    {
      model: "m",
      messages: [
        { role: "user", content: "Weather?" },
        { role: "assistant", content: null, function_call: { name: "w", arguments: "{}" } },
        { role: "function", name: "w", content: "sunny" },
      ],
      functions: [{ name: "w", parameters: { type: "object", properties: {} } }],
      function_call: { name: "w" },
    },
  ],
  [
    "OpenRouter: fallbacks, routing, reasoning and cache marks",
    ChatRequest,
    {
      model: "meta-llama/llama-3.3-70b-instruct:free",
      models: ["meta-llama/llama-3.3-70b-instruct", "qwen/qwen-2.5-72b-instruct"],
      provider: { order: ["Together"], allow_fallbacks: false, sort: "throughput" },
      route: "fallback",
      transforms: ["middle-out"],
      usage: { include: true },
      reasoning: { effort: "high", exclude: true },
      plugins: [],
      messages: [
        {
          role: "system",
          content: [{ type: "text", text: "…", cache_control: { type: "ephemeral" } }],
        },
        { role: "user", content: [{ type: "text", text: "What is this?" }, image] },
        { role: "assistant", content: "A bird.", reasoning: "Feathers.", reasoning_details: [] },
        { role: "user", content: "Sure?" },
      ],
      top_k: 40,
      min_p: 0.05,
      top_a: 0.1,
      repetition_penalty: 1.1,
      modalities: ["image", "text"],
    },
  ],
  [
    "Arli: every extended sampling parameter",
    ChatRequest,
    {
      model: "Qwen/Qwen2.5-72B-Instruct",
      messages: [{ role: "user", content: "Hi" }],
      top_k: -1,
      min_p: 0.1,
      top_a: 0.2,
      tfs: 0.95,
      typical_p: 0.9,
      repetition_penalty: 1.1,
      no_repeat_ngram_size: 3,
      dry_multiplier: 0.8,
      dry_base: 1.75,
      dry_allowed_length: 2,
      dry_sequence_breakers: ["\n", ":"],
      xtc_probability: 0.5,
      xtc_threshold: 0.1,
      mirostat: 2,
      mirostat_tau: 5,
      mirostat_eta: 0.1,
      dynatemp_min: 0.5,
      dynatemp_max: 1.5,
      dynatemp_exponent: 1,
      smoothing_factor: 0.2,
      min_tokens: 5,
      guided_json: { type: "object" },
      chat_template_kwargs: { enable_thinking: false },
    },
  ],
  [
    "vLLM: the same through extra_body, with what only it knows",
    CompletionRequest,
    {
      model: "m",
      prompt: "def fibonacci(n):",
      max_tokens: 0,
      echo: true,
      logprobs: 5,
      seed: 0,
      ignore_eos: true,
      stop_token_ids: [2],
      skip_special_tokens: false,
      truncate_prompt_tokens: 100,
      guided_choice: ["a", "b"],
      mirostat_mode: 0,
    },
  ],
  [
    "Featherless: a completion",
    CompletionRequest,
    { model: "qwen/qwen2.5-coder-7b", prompt: "def f(n):", max_tokens: 256, temperature: 0.3 },
  ],
  [
    "openai SDK: embeddings without a format",
    EmbeddingsRequest,
    { input: ["one", "two"], model: "m", encoding_format: "base64" },
  ],
  ["Featherless: embeddings", EmbeddingsRequest, { model: "m", input: "Hello", dimensions: 256 }],
  ["LangChain: embeddings as tokens", EmbeddingsRequest, { model: "m", input: [[1, 2], [3]] }],
  ["Featherless: tokenize", TokenizeRequest, { model: "m", input: "Hello, how are you today?" }],
  [
    "Arli: tokenize",
    TokenizeRequest,
    { model: "m", messages: [{ role: "user", content: "Count my tokens" }] },
  ],
  ["vLLM: tokenize", TokenizeRequest, { model: "m", prompt: "Hi", add_special_tokens: true }],
];

describe("bodies as clients send them are accepted and kept whole", () => {
  for (const [name, schema, body] of bodies) {
    test(name, () => expect<unknown>(parseRequest(schema, body)).toEqual(body));
  }
});
