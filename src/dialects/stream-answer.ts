import { GatewayError } from "../contract/errors.ts";
import type { Patience } from "../lib/patience.ts";
import type { AttemptContext, ProviderSettings, StreamEvent } from "../types.ts";
import { type Fields, fieldsOf } from "./fields.ts";
import { ChunkFailure, ChunkReader } from "./openai-chunks.ts";

/** After the last finish reason: how long usage and `[DONE]` may take, of a server that forgets them. */
const TAIL_MS = 2000;

/** Cuts bytes into the texts of events. */
export interface Cutter {
  push(bytes: Uint8Array): string[];
  end(): string[];
  /** An error that was told beside the events, after those given so far. */
  readonly failure: string | null;
}

/** What is needed to read one stream. */
export interface Reading {
  readonly provider: ProviderSettings;
  readonly context: AttemptContext;
  /** The caller's shape, not the upstream's. */
  readonly chat: boolean;
  /** How many choices must end. */
  readonly choices: number;
  readonly cutter: Cutter;
  /** An event in OpenAI's words; null where it has none. */
  readonly adapt: (fields: Fields) => Fields | null;
  readonly patience: Patience;
  /** An error that the upstream told in its stream, in ours. */
  readonly refuse: (error: unknown) => GatewayError;
}

/**
 * An upstream's events, in the groups they arrived in. Malformed ones are skipped and counted;
 * `[DONE]` ends it; usage comes once, as the last, counted here if the upstream tells none. Comments
 * and empty pieces are no tokens: silence for longer than the provider may be silent ends it. An error
 * inside the stream is thrown after what came before it, so that the events do not depend on how the
 * bytes were cut.
 */
export async function* streamAnswer(
  reading: Reading,
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<readonly StreamEvent[]> {
  const { provider, context, choices, cutter, patience } = reading;
  const { firstToken, gap } = provider.limits;
  const chunks = new ChunkReader(reading.chat, context.meter, context.callId);
  const reader = body.getReader();
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  patience.giveUp = cancel;
  patience.wait(firstToken);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (patience.expired && !chunks.finished(choices)) throw silent(provider);
      const texts = done ? cutter.end() : cutter.push(value);
      const events: StreamEvent[] = [];
      let spoke = false;
      let ended = done;
      let failed: ChunkFailure | null = null;
      for (const text of texts) {
        if (text === "[DONE]" || text.trim() === "[DONE]") {
          ended = true;
          break;
        }
        const fields = parse(text);
        const known = fields === null ? null : reading.adapt(fields);
        if (known === null) {
          if (text.trim() !== "") context.meter.malformedEvents += 1;
          continue;
        }
        const event = chunks.read(known);
        if (event instanceof ChunkFailure) {
          failed = event;
          break;
        }
        if (event !== null) events.push(event);
        if (chunks.spoke) spoke = true;
      }
      if (failed === null && cutter.failure !== null) {
        failed = new ChunkFailure(parse(cutter.failure) ?? cutter.failure);
      }
      if (chunks.finished(choices)) {
        // Whatever happens now, the answer is there.
        if (failed !== null) ended = true;
        failed = null;
        patience.wait(Math.min(TAIL_MS, gap));
      } else if (spoke) patience.wait(gap);
      if (ended && failed === null) events.push(...chunks.usage());
      if (events.length > 0) {
        patience.pause();
        yield events;
        if (!ended) patience.resume();
      }
      if (failed !== null) throw reading.refuse(failed.error);
      if (ended) return;
    }
  } catch (error) {
    throw ours(provider, context, error);
  } finally {
    patience.end();
    // Also when the consumer stops early: the upstream must not go on generating.
    cancel();
  }
}

function parse(text: string): Fields | null {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return null;
  }
}

function silent({ id }: ProviderSettings): GatewayError {
  return new GatewayError("upstream_timeout", `'${id}' stopped answering.`, { fault: "silent" });
}

function ours({ id }: ProviderSettings, { signal }: AttemptContext, error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  if (signal.aborted && signal.reason instanceof GatewayError) return signal.reason;
  const why = error instanceof RangeError ? "an event of it was too long" : "it broke off";
  return new GatewayError("upstream_error", `The stream from '${id}' ended early: ${why}.`, {
    fault: "broken",
    cause: error,
  });
}
