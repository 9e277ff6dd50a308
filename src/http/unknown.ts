import { GatewayError } from "../contract/errors.ts";

/** OpenAI's endpoints that Covey does not have, and what to use in their place. */
const UNSUPPORTED: readonly (readonly [prefix: string, instead: string])[] = [
  ["/v1/fine-tuning", "Fine-tune elsewhere and add the weights as a model file."],
  ["/v1/fine_tuning", "Fine-tune elsewhere and add the weights as a model file."],
  ["/v1/assistants", "Use POST /v1/chat/completions with your own instructions."],
  ["/v1/threads", "Keep the messages yourself and send them to POST /v1/chat/completions."],
  ["/v1/runs", "Use POST /v1/chat/completions with tools."],
  ["/v1/batches", "Send the requests side by side to POST /v1/chat/completions."],
  ["/v1/files", "Put the content into the request itself."],
];

const METHODS: readonly (readonly [path: RegExp, method: string])[] = [
  [/^\/v1\/(chat\/completions|completions|tokenize|detokenize)$/, "POST"],
  [/^\/(v1\/models(\/.*)?|health(\/ready)?|openapi\.json)$/, "GET"],
];

/** 404 or 405 for what no route matched, said so that the next attempt can be right. */
export function unknownEndpoint(request: Request): GatewayError {
  return explain(request.method, new URL(request.url).pathname);
}

function explain(method: string, path: string): GatewayError {
  const unsupported = UNSUPPORTED.find(
    ([prefix]) => path === prefix || path.startsWith(`${prefix}/`),
  );
  if (unsupported !== undefined) {
    return new GatewayError("not_found", `${unsupported[0]} is not supported. ${unsupported[1]}`);
  }
  const allowed = METHODS.find(([pattern]) => pattern.test(path));
  const shown = path.slice(0, 120);
  if (allowed !== undefined) {
    return new GatewayError("method_not_allowed", `${shown} takes ${allowed[1]}, not ${method}.`);
  }
  const hint = /^\/(chat\/completions|completions|models|tokenize|embeddings)/.test(path)
    ? ` Did you mean /v1${shown}? The base URL ends in /v1.`
    : "";
  return new GatewayError(
    "not_found",
    `There is no ${method} ${shown} here.${hint} GET /openapi.json lists every endpoint.`,
  );
}
