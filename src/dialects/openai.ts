import { GatewayError } from "../contract/errors.ts";
import { type Usage, usageOf } from "../contract/usage.ts";
import { Patience } from "../lib/patience.ts";
import type {
  AttemptContext,
  Backend,
  JsonObject,
  Meter,
  ModelState,
  Operation,
  ProviderSettings,
  Reply,
  Target,
} from "../types.ts";
import { completeWholeChoice, type Fields, fieldsOf, withoutStamp } from "./openai-choices.ts";
import { readEvents } from "./openai-events.ts";
import { refusal } from "./openai-refusal.ts";
import { choicesOf, estimatePrompt, estimateTokens, requestBody } from "./openai-request.ts";
import { meterUsage, readUsage } from "./openai-usage.ts";

const PATHS: Record<Exclude<Operation, "detokenize" | "tokenize">, string> = {
  chat: "/chat/completions",
  completions: "/completions",
};

/** The runtime would give up a silent answer after six minutes; our own limits decide. */
const NO_TIMEOUT = { timeout: false };

/** A server that speaks OpenAI's API: strict about what we send, lenient about what it answers. */
export function createOpenAiBackend(provider: ProviderSettings): Backend {
  /** Why the last call got no answer; null after one that did. */
  let trouble: string | null = null;
  const state = (): ModelState =>
    provider.missingKey === null
      ? { state: "ready", detail: trouble }
      : { state: "unavailable", detail: `${provider.missingKey} is not set` };

  const run =
    (operation: keyof typeof PATHS) =>
    async (target: Target, input: JsonObject, context: AttemptContext): Promise<Reply> => {
      const streams = input.stream === true;
      const body = requestBody(target, input, streams, context.dropped);
      context.meter.startedAt = performance.now();
      const limitMs = streams ? provider.limits.firstByte : provider.limits.answer;
      const patience = new Patience(limitMs, () => context.abort(tooSlow(provider, limitMs)));
      try {
        const response = await send(provider, PATHS[operation], body, context.signal);
        trouble = null;
        if (!response.ok) throw await refusal(provider, response);
        // From here on it is at work for this call; until it says better, this is what it used.
        context.meter.promptTokens = estimatePrompt(input);
        context.meter.source = "estimated";
        if (streams) {
          const events = readEvents(
            provider,
            operation,
            choicesOf(input),
            response,
            context.meter,
            patience,
          );
          return { kind: "stream", events };
        }
        const reply = wholeReply(await readAnswer(provider, response), operation, context.meter);
        patience.end();
        return reply;
      } catch (error) {
        patience.end();
        const failure = patience.expired ? tooSlow(provider, limitMs) : error;
        // A client that left says nothing about the provider.
        const gone = context.signal.aborted && !patience.expired;
        if (!gone && (failure instanceof Unreachable || patience.expired)) {
          trouble = failure instanceof Error ? failure.message : null;
        }
        throw failure;
      }
    };
  return {
    id: provider.id,
    operations: { chat: run("chat"), completions: run("completions") },
    state,
    unsupported: () => [],
  };
}

/** The connection failed, or broke off. */
class Unreachable extends GatewayError {
  constructor(provider: ProviderSettings, cause: unknown) {
    const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
    super("upstream_error", `'${provider.id}' could not be reached, or broke off${code}.`, {
      cause,
    });
  }
}

function tooSlow(provider: ProviderSettings, limitMs: number): GatewayError {
  return new GatewayError(
    "upstream_timeout",
    `'${provider.id}' did not answer within ${limitMs / 1000} s.`,
    { fault: "silent" },
  );
}

async function send(
  provider: ProviderSettings,
  path: string,
  body: string,
  signal: AbortSignal,
): Promise<Response> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  const [key] = provider.keys;
  if (key !== undefined) headers.authorization = `Bearer ${key}`;
  let response: Response;
  try {
    // A redirect would carry the body and the key to another host.
    const init = {
      method: "POST",
      headers,
      body,
      signal,
      redirect: "manual",
      ...NO_TIMEOUT,
    } as const;
    response = await fetch(provider.baseUrl + path, init);
  } catch (error) {
    throw new Unreachable(provider, error);
  }
  if (response.status >= 300 && response.status < 400) {
    throw new GatewayError(
      "upstream_error",
      `'${provider.id}' answered with a redirect, which is never followed.`,
    );
  }
  return response;
}

async function readAnswer(provider: ProviderSettings, response: Response): Promise<Fields> {
  let answer: unknown;
  try {
    answer = await response.json();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw new Unreachable(provider, error);
    throw new GatewayError("upstream_error", `'${provider.id}' answered with invalid JSON.`);
  }
  const fields = fieldsOf(answer);
  if (fields === null || !("choices" in fields)) {
    throw new GatewayError("upstream_error", `'${provider.id}' answered without choices.`);
  }
  return fields;
}

function wholeReply(answer: Fields, operation: keyof typeof PATHS, meter: Meter): Reply {
  const choices = (Array.isArray(answer.choices) ? answer.choices : [])
    .map(fieldsOf)
    .filter((choice) => choice !== null)
    .map((choice, position) => completeWholeChoice(choice, position, operation === "chat"));
  const told = readUsage(answer.usage);
  meterUsage(meter, told);
  const usage = told ?? estimatedUsage(choices, meter);
  return { kind: "json", body: { ...withoutStamp(answer), choices, usage }, usage };
}

/** For an upstream that told no usage: what the texts' lengths suggest. */
function estimatedUsage(choices: readonly Fields[], meter: Meter): Usage {
  const texts = choices.map((choice) => choice.text ?? fieldsOf(choice.message)?.content);
  const characters = texts.reduce<number>((sum, text) => sum + String(text ?? "").length, 0);
  meter.completionTokens = estimateTokens(characters);
  return usageOf(meter.promptTokens, meter.completionTokens, 0);
}
