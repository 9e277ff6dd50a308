import { GatewayError } from "../contract/errors.ts";
import type { Patience } from "../lib/patience.ts";
import { SseParser } from "../lib/sse-parse.ts";
import type { Meter, Operation, ProviderSettings, StreamEvent } from "../types.ts";
import { ChunkReader } from "./openai-chunks.ts";

/** After the last finish reason: how long usage and `[DONE]` may take, of a server that forgets them. */
const TAIL_MS = 2000;

/**
 * An upstream's events, in the groups they arrived in. Malformed ones are skipped; `[DONE]` ends it;
 * usage comes once, as the last, estimated if the upstream tells none. Silence for longer than the
 * provider may be silent ends it. An error inside the stream is thrown after what came before it, so
 * that the events do not depend on how the bytes were cut.
 */
export async function* readEvents(
  { id: providerId, limits: { gap: gapTimeoutMs } }: ProviderSettings,
  operation: Operation,
  choices: number,
  response: Response,
  meter: Meter,
  patience: Patience,
): AsyncGenerator<readonly StreamEvent[]> {
  if (response.body === null) throw brokeOff(providerId, null);
  const parser = new SseParser();
  const chunks = new ChunkReader(operation === "chat", meter);
  const reader = response.body.getReader();
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  patience.giveUp = cancel;
  let begun = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (patience.expired && !chunks.finished(choices)) throw silent(providerId);
      // Once it has begun, comments too are signs of life.
      if (begun && !chunks.finished(choices)) patience.wait(gapTimeoutMs);
      const texts = done ? parser.end() : parser.push(value);
      const events: StreamEvent[] = [];
      let end: "ended" | "failed" | null = null;
      for (const text of texts) {
        const chunk = text === "[DONE]" ? "done" : chunks.read(text);
        if (chunk === "done") end = "ended";
        else if (chunk === "error") end = "failed";
        else if (chunk !== null) events.push(chunk);
        if (end !== null) break;
      }
      if (done) end ??= "ended";
      if (end === "ended") events.push(...chunks.usage());
      if (events.length > 0) {
        patience.pause();
        yield events;
        begun = true;
        patience.wait(chunks.finished(choices) ? Math.min(TAIL_MS, gapTimeoutMs) : gapTimeoutMs);
      }
      if (end === "ended") return;
      if (end === "failed") {
        throw new GatewayError(
          "upstream_error",
          `'${providerId}' reported an error in its stream.`,
        );
      }
    }
  } catch (error) {
    throw error instanceof GatewayError ? error : brokeOff(providerId, error);
  } finally {
    patience.end();
    // Also when the consumer stops early: the upstream must not go on generating.
    cancel();
  }
}

function silent(providerId: string): GatewayError {
  return new GatewayError("upstream_timeout", `'${providerId}' stopped answering.`);
}

function brokeOff(providerId: string, cause: unknown): GatewayError {
  return new GatewayError("upstream_error", `The stream from '${providerId}' broke off.`, {
    cause,
  });
}
