import { ERRORS, type ErrorName, GatewayError } from "./errors.ts";

/** Bodies shown in the documentation. The tests hold each of them against its schema. */
export const REQUEST_EXAMPLES: Readonly<Record<string, object>> = {
  chat: {
    model: "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
    messages: [
      { role: "system", content: "You are a helpful assistant." },
      { role: "user", content: "Explain quantum computing in one sentence." },
    ],
    temperature: 0.7,
    max_tokens: 200,
  },
  completions: {
    model: "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
    prompt: "The meaning of life is",
    max_tokens: 50,
  },
  embeddings: {
    model: "Qwen/Qwen3-Embedding-8B",
    input: ["What is a covey?", "A small flock of birds."],
  },
  tokenize: { model: "TinyLlama/TinyLlama-1.1B-Chat-v1.0", input: "Hello, how are you today?" },
  detokenize: { model: "TinyLlama/TinyLlama-1.1B-Chat-v1.0", tokens: [15043, 29892, 920] },
};

const messages: Readonly<Record<ErrorName, [message: string, param?: string]>> = {
  invalid_request: [
    "Invalid type for 'temperature': expected a number between 0 and 2, but got a string.",
    "temperature",
  ],
  context_length_exceeded: [
    "This model's context holds 2048 tokens, but the messages have 2304. Send fewer or shorter ones.",
    "messages",
  ],
  invalid_api_key: ["No such API key. Send a valid one as 'Authorization: Bearer <key>'."],
  insufficient_quota: ["The budget of this key is spent."],
  model_not_allowed: ["This key may not use the model 'example/model'.", "model"],
  endpoint_not_allowed: ["This key may not use the endpoint 'embeddings'."],
  model_not_found: [
    "There is no model 'example/model'. GET /v1/models lists those there are.",
    "model",
  ],
  not_found: ["There is no such endpoint. /openapi.json lists those there are."],
  method_not_allowed: ["This endpoint answers POST only."],
  content_filter: ["The provider's content filter stopped this answer."],
  body_too_large: ["The request body is larger than 32 MiB, the most that is accepted."],
  unprocessable: [
    "Invalid value for 'upscaling_resize': expected a number between 1 and 8, but got 9.",
    "upscaling_resize",
  ],
  unsupported_media_type: ["The request body must be JSON: send 'Content-Type: application/json'."],
  rate_limit_exceeded: ["Too many requests: the limit is 60 a minute. Try again in 3 seconds."],
  concurrency_limit_exceeded: ["4 requests of this key are running already, the most it may have."],
  client_closed: ["The client closed the connection."],
  internal: ["Something went wrong here. The request id says where to look in the log."],
  upstream_error: ["The provider of this model answered with an error."],
  upstream_timeout: ["The provider of this model did not answer in time."],
  model_loading: ["The model is being loaded. Try again in 5 seconds."],
  model_too_big: [
    "The model 'example/model' can't answer here: it needs 8.1 GB of memory and the budget is 4 GB: raise memory_budget under [engine].",
  ],
  overloaded: ["Too many requests are waiting for this model. Try again in 5 seconds."],
  unavailable: ["The call log cannot be written, so no request is accepted."],
};

/** What an error looks like on the wire, by its name. */
export function errorExample(name: ErrorName): object {
  const [message, param] = messages[name];
  return new GatewayError(name, message, { param: param ?? null }).toBody();
}

/** The errors that end in a status, in the order of the catalogue. */
export function errorsWith(status: number): ErrorName[] {
  return names().filter((name) => ERRORS[name].status === status);
}

/**
 * Every status an endpoint can answer with when it fails, ascending. Not 499, which nobody is there
 * to see, and not 405, which no method of an endpoint can end in.
 */
export function errorStatuses(): number[] {
  const seen = names().filter((name) => name !== "client_closed" && name !== "method_not_allowed");
  return [...new Set<number>(seen.map((name) => ERRORS[name].status))].sort((a, b) => a - b);
}

function names(): ErrorName[] {
  return Object.keys(ERRORS).filter((name): name is ErrorName => name in ERRORS);
}
