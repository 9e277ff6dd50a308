import { type ErrorName, type Fault, GatewayError } from "../../src/contract/errors.ts";
import { usageOf } from "../../src/contract/usage.ts";
import type { AttemptContext, JsonObject, Reply, StreamEvent } from "../../src/types.ts";
import type { Script } from "./stage.ts";

/** What hand-made backends do. */

export const failure = (fault: Fault, retryAfter?: number, kind: ErrorName = "upstream_error") =>
  new GatewayError(kind, `It failed: ${fault}.`, {
    fault,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });

export const fails =
  (fault: Fault, retryAfter?: number, kind?: ErrorName): Script =>
  () =>
    Promise.reject(failure(fault, retryAfter, kind));

/** One act for each attempt; the last one for all that follow. */
export const inTurn =
  (...scripts: readonly Script[]): Script =>
  (asked) => {
    const script = scripts[Math.min(asked.nth, scripts.length) - 1];
    if (script === undefined) throw new Error("there is nothing to do");
    return script(asked);
  };

/** A whole answer, or a stream of it, as it was asked for. */
export const says =
  (
    text: string,
    usage: readonly [prompt: number, completion: number] = [10, text.length],
  ): Script =>
  ({ input, context }) => {
    count(context, usage);
    if (input.stream === true) {
      return stream(
        context,
        [...text.split("").map((piece) => chat({ content: piece })), end()],
        usage,
      );
    }
    const message = { role: "assistant", content: text, refusal: null };
    const body = { choices: [{ index: 0, message, logprobs: null, finish_reason: "stop" }] };
    return { kind: "json", body, usage: usageOf(usage[0], usage[1], 0) };
  };

function count({ meter }: AttemptContext, [prompt, completion]: readonly [number, number]): void {
  meter.startedAt = performance.now();
  meter.promptTokens = prompt;
  meter.completionTokens = completion;
  meter.source = "upstream";
}

export const chat = (delta: JsonObject): StreamEvent => ({
  choices: [{ index: 0, delta, logprobs: null, finish_reason: null }],
});

export const end = (finish_reason: "stop" | "tool_calls" | "length" = "stop"): StreamEvent => ({
  choices: [{ index: 0, delta: {}, logprobs: null, finish_reason }],
});

export interface StreamOptions {
  /** Thrown after the events. */
  readonly error?: Error;
  /** Waits there until the attempt is ended. */
  readonly hangs?: boolean;
  /** Called when nobody reads on. */
  readonly onClose?: () => void;
}

/** These events, one by one, counted as they go; then their usage, where it is told. */
export function stream(
  context: AttemptContext,
  events: readonly StreamEvent[],
  usage: readonly [prompt: number, completion: number] | null = null,
  { error, hangs = false, onClose }: StreamOptions = {},
): Reply {
  const { meter, signal } = context;
  meter.startedAt = performance.now();
  meter.source = "estimated";
  meter.promptTokens = usage?.[0] ?? 0;
  meter.completionTokens = 0;
  async function* give(): AsyncGenerator<readonly StreamEvent[]> {
    try {
      for (const event of events) {
        meter.completionTokens += 1;
        meter.firstTokenAt ||= performance.now();
        yield [event];
      }
      if (hangs) await aborted(signal);
      if (error !== undefined) throw error;
      if (usage === null) return;
      [meter.promptTokens, meter.completionTokens] = usage;
      meter.source = "upstream";
      yield [{ choices: [], usage: usageOf(usage[0], usage[1], 0) }];
    } finally {
      onClose?.();
    }
  }
  return { kind: "stream", events: give() };
}

/** Rejects when the attempt is given up. */
export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** Works on a whole answer of which nothing is seen, until it is given up. */
export const works: Script = ({ context }) => {
  Object.assign(context.meter, { promptTokens: 10, source: "estimated", unseen: true });
  return aborted(context.signal);
};

export const hangs: Script = ({ context }) => aborted(context.signal);
