import { GatewayError } from "../contract/errors.ts";
import { answersAsked } from "../lib/answers-asked.ts";
import { SseParser } from "../lib/sse-parse.ts";
import type { AttemptContext, JsonObject, ProviderSettings, Target } from "../types.ts";
import {
  asCompletion,
  completionAsChat,
  continueChat,
  withPrefix,
  withPromptPrefill,
} from "./continuation.ts";
import type { Fields } from "./fields.ts";
import { answerLimit } from "./max-tokens.ts";
import { asksForSchema, translateParameters } from "./parameters.ts";
import type { Dialect, DialectOptions, Generation, WireRequest } from "./wire.ts";

/** Servers that speak OpenAI's API: strict about what we send, lenient about what they answer. */
export function openAiDialect(provider: ProviderSettings, options: DialectOptions): Dialect {
  const { paths, quirks, continuation } = provider.file;

  const request = (
    target: Target,
    operation: Generation,
    input: JsonObject,
    context: AttemptContext,
  ): WireRequest => {
    const { prefill } = context;
    const rendered =
      operation === "chat" && prefill !== null && continuation.prefill === "none"
        ? continuation.completions
        : false;
    const asked = rendered ? asCompletion(provider, target, input, prefill ?? "", options) : input;
    const sent: Generation = rendered ? "completions" : operation;
    const path = paths[sent];
    if (path === false) throw noSuchOperation(provider, sent);
    const limit = answerLimit(target, asked, rendered ? null : prefill);
    const { body: translated, dropped } = translateParameters(
      provider,
      target,
      withLimit(asked, limit),
    );
    for (const name of dropped) context.dropped.add(name);
    if (fallsBack(provider, input)) context.notes.set("x-covey-json-schema", "fallback");
    let body: JsonObject = { ...translated, model: target.upstreamId };
    if (sent === "chat" && !quirks.developer_role) body.messages = withoutDeveloper(body.messages);
    if (sent === "chat") body = withPrefix(provider, body);
    if (prefill !== null && !rendered) {
      body =
        operation === "chat"
          ? continueChat(provider, body, prefill)
          : withPromptPrefill(provider, body, prefill);
    }
    // Usage is always wanted for the call log; the gateway strips it if the caller did not ask.
    if (body.stream === true && quirks.stream_usage) body.stream_options = { include_usage: true };
    const choices = sent === "completions" ? answersAsked(body.prompt) : 1;
    return { path, body, choices, adapt: rendered ? completionAsChat : asItIs };
  };

  return {
    request,
    cutter: () => new SseParser(),
    unsupported: (target, operation, input) => {
      const { dropped } = translateParameters(provider, target, input);
      return paths[operation] === false ? [...dropped, operation] : dropped;
    },
  };
}

const asItIs = (fields: Fields): Fields => fields;

/** An operation that the provider has no path for. */
export function noSuchOperation({ id }: ProviderSettings, operation: string): GatewayError {
  return new GatewayError("invalid_request", `'${id}' has no ${operation}.`, {
    param: "model",
    fault: "unsupported",
  });
}

/** The request with its answer's limit, under the name that the caller used. */
export function withLimit(request: JsonObject, limit: number | null): JsonObject {
  const { max_completion_tokens: newer, max_tokens: older, ...rest } = request;
  if (limit === null) return rest;
  return typeof newer === "number"
    ? { ...rest, max_completion_tokens: limit }
    : { ...rest, max_tokens: typeof older === "number" ? Math.min(older, limit) : limit };
}

/** Whether a JSON Schema was asked for, and only JSON can be enforced. */
function fallsBack({ file }: ProviderSettings, request: JsonObject): boolean {
  if (file.quirks.json_schema !== "json_object") return false;
  if (asksForSchema(request.response_format)) return true;
  const guided = file.parameters.guided_json === "response_format:json_schema";
  return guided && request.guided_json !== undefined && request.guided_json !== null;
}

/** The role `developer` under its older name. */
export function withoutDeveloper(messages: unknown): unknown {
  if (!Array.isArray(messages)) return messages;
  return messages.map((message) =>
    message?.role === "developer" ? { ...message, role: "system" } : message,
  );
}
