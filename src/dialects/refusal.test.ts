import { describe, expect, test } from "bun:test";
import { catalogSettings, settingsOf } from "../../test/dialects/backend.ts";
import { judge, type Refused } from "./refusal.ts";
import { retryAfter } from "./retry-after.ts";

/** A server's refusal, as its sources and its users' reports have it, and what it means. */

const error = (message: string, more: object = {}): object => ({ error: { message, ...more } });

const CASES: [what: string, status: number | null, body: unknown, kind: string, fault: string][] = [
  [
    "OpenRouter's account that has too little for so long an answer",
    402,
    error(
      "This request requires more credits, or fewer max_tokens. You requested up to 65536 tokens, but can only afford 3000.",
      { code: 402 },
    ),
    "upstream_error",
    "unsupported",
  ],
  [
    "a firewall before the provider",
    403,
    "<!DOCTYPE html><title>Attention Required!</title>",
    "upstream_error",
    "unsupported",
  ],
  [
    "OpenAI's unknown field",
    400,
    error("Unknown parameter: 'top_k'.", { code: "unknown_parameter", param: "top_k" }),
    "invalid_request",
    "unsupported",
  ],
  [
    "OpenAI's older words for it",
    400,
    error("Unrecognized request argument supplied: top_k", { type: "invalid_request_error" }),
    "invalid_request",
    "unsupported",
  ],
  [
    "pydantic's unknown field",
    422,
    { detail: [{ type: "extra_forbidden", msg: "Extra inputs are not permitted" }] },
    "invalid_request",
    "unsupported",
  ],
  [
    "OpenAI's context",
    400,
    error("This model's maximum context length is 8192 tokens.", {
      code: "context_length_exceeded",
    }),
    "context_length_exceeded",
    "context",
  ],
  [
    "vLLM's context",
    400,
    {
      object: "error",
      message:
        "This model's maximum context length is 16384 tokens. However, you requested 122946 tokens (112946 in the messages, 10000 in the completion).",
      type: "BadRequestError",
      code: 400,
    },
    "context_length_exceeded",
    "context",
  ],
  [
    "newer vLLM's context",
    400,
    error(
      "You passed 1015 input tokens and requested 10 output tokens. However, the model's context length is only 1024 tokens, resulting in a maximum input length of 1014 tokens.",
      { type: "BadRequestError", param: "input_tokens", code: 400 },
    ),
    "context_length_exceeded",
    "context",
  ],
  [
    "llama.cpp's context",
    400,
    error(
      "request (9412 tokens) exceeds the available context size (8192 tokens), try increasing it",
      {
        code: 400,
        type: "exceed_context_size_error",
      },
    ),
    "context_length_exceeded",
    "context",
  ],
  [
    "llama.cpp's batch",
    500,
    error("input is too large to process. increase the physical batch size", { code: 500 }),
    "context_length_exceeded",
    "context",
  ],
  [
    "SGLang's context",
    400,
    { message: "The input (9000 tokens) is longer than the model's context length (8192 tokens)." },
    "context_length_exceeded",
    "context",
  ],
  [
    "Ollama's context",
    400,
    { error: "the input length exceeds the context length" },
    "context_length_exceeded",
    "context",
  ],
  [
    "Anthropic's words",
    400,
    error("prompt is too long: 210000 tokens > 200000 maximum"),
    "context_length_exceeded",
    "context",
  ],
  [
    "OpenRouter's moderation",
    403,
    error("Your input was flagged", {
      code: 403,
      metadata: { flagged_input: "x", reasons: ["y"] },
    }),
    "content_filter",
    "request",
  ],
  [
    "Azure's filter",
    400,
    error("The response was filtered", {
      code: "content_filter",
      innererror: { code: "ResponsibleAIPolicyViolation" },
    }),
    "content_filter",
    "request",
  ],
  [
    "a bad field",
    422,
    { detail: [{ loc: ["body", "x"], msg: "bad" }] },
    "invalid_request",
    "request",
  ],
  ["a large body", 413, "", "body_too_large", "request"],
  ["a bad key", 401, error("Incorrect API key provided: sk-abcdefgh1234"), "upstream_error", "key"],
  ["no credit", 402, error("Insufficient credits"), "upstream_error", "key"],
  ["a gated model", 403, error("You need access to this model"), "upstream_error", "key"],
  ["an unknown model", 404, error("The model `x` does not exist."), "model_not_found", "request"],
  ["no such path", 404, { detail: "Not Found" }, "upstream_error", "unsupported"],
  ["a method", 405, "", "upstream_error", "unsupported"],
  [
    "Ollama without tools",
    400,
    { error: "registry.ollama.ai/library/x does not support tools" },
    "invalid_request",
    "unsupported",
  ],
  ["a limit", 429, error("Rate limit reached"), "overloaded", "busy"],
  ["an overload", 529, error("Overloaded"), "overloaded", "busy"],
  ["llama.cpp's start", 503, error("Loading model", { code: 503 }), "model_loading", "busy"],
  ["no place", 503, "", "overloaded", "busy"],
  ["its time-out", 504, "<html>Gateway Time-out</html>", "upstream_timeout", "broken"],
  ["Cloudflare's time-out", 524, "", "upstream_timeout", "broken"],
  ["a crash", 500, error("CUDA error"), "upstream_error", "broken"],
  [
    "an error inside a stream",
    null,
    error("overloaded", { code: 502 }),
    "upstream_error",
    "broken",
  ],
  [
    "a limit inside a stream",
    null,
    error("slow down", { type: "rate_limit_error" }),
    "overloaded",
    "busy",
  ],
  ["plain text inside a stream", null, "it broke", "upstream_error", "broken"],
];

const refused = (status: number | null, body: unknown, more: Partial<Refused> = {}): Refused => ({
  status,
  body,
  retryAfter: null,
  prefill: false,
  ...more,
});

test.each(CASES)("%s", (_what, status, body, kind, fault) => {
  const { error: told } = judge(settingsOf(), refused(status, body));
  expect(`${told.kind} ${told.fault}`).toBe(`${kind} ${fault}`);
});

describe("what is told", () => {
  test("is the server's words without keys, in bounds", () => {
    const keys = ["verysecretkey"];
    const body = error(`key verysecretkey, and sk-abcdefgh123456 ${"x".repeat(900)}`);
    const { message } = judge(settingsOf({}, { keys }), refused(500, body)).error;
    expect(message.startsWith("'fake' answered 500: key [key], and [key] xxx")).toBe(true);
    expect(message.length).toBeLessThan(350);
  });

  test("says nothing of the account when that was refused", () => {
    const { message } = judge(settingsOf(), refused(402, error("Team Foo has no credit"))).error;
    expect(message).toBe("'fake' refused the gateway (402).");
  });

  test("is nothing of a web page", () => {
    const { message } = judge(settingsOf(), refused(502, "<html><h1>Bad</h1></html>")).error;
    expect(message).toBe("'fake' answered 502.");
  });

  test("names the field that the server names", () => {
    const { param } = judge(settingsOf(), refused(400, error("bad", { param: "top_k" }))).error;
    expect(param).toBe("top_k");
  });
});

test("a prefill that is refused is something others may take", () => {
  for (const message of [
    "Assistant response prefill is incompatible with enable_thinking.",
    "Cannot have 2 or more assistant messages at the end of the list.",
    "Conversation roles must alternate user/assistant",
  ]) {
    const body = error(message, { code: 400 });
    const { fault } = judge(settingsOf(), refused(400, body, { prefill: true })).error;
    expect(fault).toBe("unsupported");
    expect(judge(settingsOf(), refused(400, body)).error.fault).toBe("request");
  }
});

test("a cold model is busy, and a bad request to the same provider is not", async () => {
  const featherless = await catalogSettings("featherless");
  const cold = judge(featherless, refused(400, error("The model is cold and is being loaded")));
  expect([cold.error.kind, cold.error.fault]).toEqual(["model_loading", "busy"]);
  expect(judge(featherless, refused(400, error("bad top_k"))).error.kind).toBe("invalid_request");
});

test("which refusals put the key to rest", () => {
  const rests = (status: number, body: unknown = "") =>
    judge(settingsOf(), refused(status, body)).rests;
  const all = [401, 402, 403, 429, 500, 503, 400].map((status) => rests(status));
  expect(all.join()).toBe("key,model,model,model,no,no,no");
  const theirs = error("Provider returned error", { code: 429, metadata: { provider_name: "X" } });
  expect(rests(429, theirs)).toBe("no");
});

test("how long a server asks to wait", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  const after = (headers: Record<string, string>) => retryAfter(new Headers(headers), now);
  expect(after({})).toBeNull();
  expect(after({ "retry-after": "7" })).toBe(7);
  expect(after({ "retry-after": "Thu, 01 Jan 2026 00:00:09 GMT" })).toBe(9);
  expect(after({ "retry-after": "Thu, 01 Jan 1970 00:00:00 GMT" })).toBeNull();
  expect(after({ "retry-after": "999999999" })).toBe(3600);
  expect(after({ "retry-after-ms": "1500", "retry-after": "9" })).toBe(1.5);
  expect(after({ "x-ratelimit-reset-requests": "1m30s" })).toBe(90);
  expect(after({ "x-ratelimit-reset-tokens": "250ms" })).toBe(0.25);
  expect(
    after({
      "x-ratelimit-reset-requests": "60s",
      "x-ratelimit-remaining-requests": "3",
      "x-ratelimit-reset-tokens": "2s",
    }),
  ).toBe(2);
  expect(after({ "x-ratelimit-reset": String(now + 5000) })).toBe(5);
  expect(after({ "x-ratelimit-reset": String(now / 1000 + 6) })).toBe(6);
});

test("what one caller sends rests no key for all", () => {
  const rests = (status: number, body: unknown) =>
    judge(settingsOf(), { status, body, retryAfter: null, prefill: false }).rests;
  expect(rests(403, "<html>blocked</html>")).toBe("no");
  expect(rests(402, error("You can only afford 3000 tokens."))).toBe("no");
  expect(rests(403, error("Key limit exceeded"))).toBe("model");
  expect(rests(402, error("Insufficient credits"))).toBe("model");
  expect(rests(401, "<html>no</html>")).toBe("key");
});
