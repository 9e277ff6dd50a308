import { GatewayError } from "../contract/errors.ts";
import { withoutKeys } from "../lib/redact.ts";
import type {
  AttemptContext,
  Backend,
  JsonObject,
  ModelState,
  Operation,
  Reply,
  Target,
} from "../types.ts";
import { completeWholeChoice, fieldsOf, withoutStamp } from "./openai-choices.ts";
import { readEvents } from "./openai-events.ts";
import { meterUsage, readUsage } from "./openai-usage.ts";

export interface OpenAiProvider {
  readonly id: string;
  /** Without a slash at the end: `http://127.0.0.1:8000/v1`. */
  readonly baseUrl: string;
  /** Sent as a bearer token; a secret that appears in nothing we say. */
  readonly apiKey: string | null;
}

const PATHS: Record<Exclude<Operation, "detokenize" | "tokenize">, string> = {
  chat: "/chat/completions",
  completions: "/completions",
};

/** Fields that ask something of the gateway, never of an upstream; told as dropped until it does it. */
const OURS = ["models", "provider", "route", "plugins", "chat_template"];

const MAX_ERROR_TEXT = 300;
const LIVE: ModelState = { state: "ready", detail: null };

/** A server that speaks OpenAI's API: strict about what we send, lenient about what it answers. */
export function createOpenAiBackend(provider: OpenAiProvider): Backend {
  const run =
    (operation: keyof typeof PATHS) =>
    async (target: Target, input: JsonObject, context: AttemptContext): Promise<Reply> => {
      const streams = input.stream === true;
      const body = requestBody(target, input, streams, context.dropped);
      context.meter.startedAt = performance.now();
      const response = await send(provider, PATHS[operation], body, context);
      if (!response.ok) throw await upstreamError(provider, response);
      if (streams) {
        return {
          kind: "stream",
          events: readEvents(provider.id, operation, response, context),
        };
      }
      const answer = await readAnswer(provider, response, context);
      const usage = readUsage(answer.usage);
      meterUsage(context.meter, usage);
      const whole = wholeAnswer(answer, operation === "chat");
      return { kind: "json", body: usage === null ? whole : { ...whole, usage }, usage };
    };
  return {
    id: provider.id,
    operations: { chat: run("chat"), completions: run("completions") },
    state: () => LIVE,
  };
}

function requestBody(
  target: Target,
  input: JsonObject,
  streams: boolean,
  dropped: Set<string>,
): string {
  const body: JsonObject = { ...input, model: target.upstreamId };
  for (const field of OURS) {
    if (body[field] === undefined) continue;
    delete body[field];
    dropped.add(field);
  }
  // Usage is always wanted for the call log; the gateway strips it if the caller did not ask.
  if (streams) body.stream_options = { include_usage: true };
  return JSON.stringify(body);
}

async function send(
  provider: OpenAiProvider,
  path: string,
  body: string,
  context: AttemptContext,
): Promise<Response> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (provider.apiKey !== null) headers.authorization = `Bearer ${provider.apiKey}`;
  let response: Response;
  try {
    response = await fetch(provider.baseUrl + path, {
      method: "POST",
      headers,
      body,
      signal: context.signal,
      // A redirect would carry the body and the key to another host.
      redirect: "manual",
    });
  } catch (error) {
    throw unreachable(provider, error);
  }
  if (response.status >= 300 && response.status < 400) {
    throw new GatewayError(
      "upstream_error",
      `'${provider.id}' answered with a redirect, which is never followed.`,
    );
  }
  return response;
}

async function readAnswer(
  provider: OpenAiProvider,
  response: Response,
  context: AttemptContext,
): Promise<JsonObject> {
  let answer: unknown;
  try {
    answer = await response.json();
  } catch (error) {
    if (context.signal.aborted || !(error instanceof SyntaxError)) {
      throw unreachable(provider, error);
    }
    throw new GatewayError("upstream_error", `'${provider.id}' answered with invalid JSON.`);
  }
  if (typeof answer !== "object" || answer === null || !("choices" in answer)) {
    throw new GatewayError("upstream_error", `'${provider.id}' answered without choices.`);
  }
  return answer as JsonObject;
}

function wholeAnswer(answer: JsonObject, chat: boolean): JsonObject {
  const choices = Array.isArray(answer.choices) ? answer.choices : [];
  return {
    ...withoutStamp(answer),
    choices: choices
      .map(fieldsOf)
      .filter((choice) => choice !== null)
      .map((choice, position) => completeWholeChoice(choice, position, chat)),
  };
}

/**
 * An upstream's refusal in our words. What the caller did wrong stays the caller's (400, 404, 413,
 * 422); a key or a quota that is ours is the operator's problem and becomes 502.
 */
async function upstreamError(provider: OpenAiProvider, response: Response): Promise<GatewayError> {
  const { status } = response;
  const text = await upstreamMessage(provider, response);
  const said = `'${provider.id}' answered ${status}${text === "" ? "" : `: ${text}`}`;
  if (status === 429) {
    return new GatewayError("overloaded", said, { retryAfter: retryAfter(response, 1) });
  }
  if (status === 401 || status === 402 || status === 403) {
    return new GatewayError("upstream_error", `'${provider.id}' refused the gateway's own key.`);
  }
  if (status === 413) return new GatewayError("body_too_large", said);
  if (status === 400 || status === 422) return new GatewayError("invalid_request", said);
  if (status === 503)
    return new GatewayError("overloaded", said, { retryAfter: retryAfter(response, 5) });
  if (status === 504) return new GatewayError("upstream_timeout", said);
  return new GatewayError("upstream_error", said);
}

/** Seconds that the upstream asks to wait, as a number or a date; without them, `otherwise`. */
function retryAfter(response: Response, otherwise: number): number {
  const value = response.headers.get("retry-after") ?? "";
  const seconds = /^\d+(\.\d+)?$/.test(value)
    ? Number(value)
    : (Date.parse(value) - Date.now()) / 1000;
  return seconds > 0 ? seconds : otherwise;
}

/** Its own words, without any key that it repeats. */
async function upstreamMessage(provider: OpenAiProvider, response: Response): Promise<string> {
  let text: string;
  try {
    text = await response.text();
  } catch {
    return "";
  }
  let message: unknown = text;
  try {
    const body: unknown = JSON.parse(text);
    message = messageIn(body) ?? text;
  } catch {
    message = text;
  }
  const secrets = provider.apiKey === null ? [] : [provider.apiKey];
  return withoutKeys(String(message), secrets).slice(0, MAX_ERROR_TEXT);
}

function messageIn(body: unknown): string | null {
  if (typeof body !== "object" || body === null) return null;
  if ("message" in body && typeof body.message === "string") return body.message;
  return "error" in body
    ? typeof body.error === "string"
      ? body.error
      : messageIn(body.error)
    : null;
}

function unreachable(provider: OpenAiProvider, cause: unknown): GatewayError {
  return new GatewayError(
    "upstream_error",
    `'${provider.id}' could not be reached, or broke off.`,
    {
      cause,
    },
  );
}
