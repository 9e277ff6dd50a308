import { GatewayError } from "../contract/errors.ts";
import { SseParser } from "../lib/sse-parse.ts";
import type { AttemptContext, Operation, StreamEvent } from "../types.ts";
import { ChunkReader } from "./openai-chunks.ts";

/**
 * An upstream's events, in the groups they arrived in. Malformed ones are skipped; `[DONE]` ends it;
 * usage comes once, as the last. An error inside the stream is thrown after what came before it, so
 * that the events do not depend on how the bytes were cut.
 */
export async function* readEvents(
  providerId: string,
  operation: Operation,
  response: Response,
  context: AttemptContext,
): AsyncGenerator<readonly StreamEvent[]> {
  if (response.body === null) throw brokeOff(providerId, null);
  const parser = new SseParser();
  const chunks = new ChunkReader(operation === "chat", context.meter);
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
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
      if (events.length > 0) yield events;
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
    // Also when the consumer stops early: the upstream must not go on generating.
    reader.cancel().catch(() => undefined);
  }
}

function brokeOff(providerId: string, cause: unknown): GatewayError {
  return new GatewayError("upstream_error", `The stream from '${providerId}' broke off.`, {
    cause,
  });
}
