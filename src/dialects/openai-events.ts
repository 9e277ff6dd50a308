import { GatewayError } from "../contract/errors.ts";
import { SseParser } from "../lib/sse-parse.ts";
import type { AttemptContext, StreamEvent } from "../types.ts";
import { meterUsage, readUsage } from "./openai-usage.ts";

/**
 * An upstream's events, in the groups they arrived in. Malformed ones are skipped; an error inside
 * the stream is thrown; `[DONE]` ends it. Each event that carries content counts one token until
 * the upstream's own usage comes.
 */
export async function* readEvents(
  providerId: string,
  response: Response,
  context: AttemptContext,
): AsyncGenerator<readonly StreamEvent[]> {
  if (response.body === null) throw brokeOff(providerId, null);
  const parser = new SseParser();
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const texts = done ? parser.end() : parser.push(value);
      const ended = texts.includes("[DONE]");
      const events: StreamEvent[] = [];
      for (const text of texts) {
        if (text === "[DONE]") break;
        const event = toEvent(providerId, text, context);
        if (event !== null) events.push(event);
      }
      if (events.length > 0) yield events;
      if (done || ended) return;
    }
  } catch (error) {
    throw error instanceof GatewayError ? error : brokeOff(providerId, error);
  } finally {
    // Also when the consumer stops early: the upstream must not go on generating.
    reader.cancel().catch(() => undefined);
  }
}

function toEvent(providerId: string, text: string, context: AttemptContext): StreamEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  if ("error" in value && value.error !== null && value.error !== undefined) {
    throw new GatewayError("upstream_error", `'${providerId}' reported an error in its stream.`);
  }
  // The gateway stamps these itself.
  const {
    id: _i,
    object: _o,
    created: _c,
    model: _m,
    provider: _p,
    usage,
    ...rest
  } = value as Record<string, unknown>;
  const { meter } = context;
  const counted = readUsage(usage);
  meterUsage(meter, counted);
  const choices = Array.isArray(rest.choices) ? rest.choices.filter(isChoice) : [];
  choices.forEach(complete);
  if (choices.length > 0 && counted === null) {
    if (meter.firstTokenAt === 0) meter.firstTokenAt = performance.now();
    if (meter.source !== "upstream") {
      meter.completionTokens += 1;
      meter.source = "estimated";
    }
  }
  if (choices.length === 0 && counted === null) return null;
  const event = { ...rest, choices } as StreamEvent;
  if (counted !== null) event.usage = counted;
  return event;
}

type Choice = Record<string, unknown>;

function isChoice(value: unknown): value is Choice {
  return typeof value === "object" && value !== null;
}

/** Puts in what some servers leave out: an index, a null finish reason. */
function complete(choice: Choice, position: number): void {
  if (typeof choice.index !== "number") choice.index = position;
  if (typeof choice.finish_reason !== "string" || choice.finish_reason === "") {
    choice.finish_reason = null;
  }
}

function brokeOff(providerId: string, cause: unknown): GatewayError {
  return new GatewayError("upstream_error", `The stream from '${providerId}' broke off.`, {
    cause,
  });
}
