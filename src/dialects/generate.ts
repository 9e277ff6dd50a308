import { GatewayError } from "../contract/errors.ts";
import { Patience } from "../lib/patience.ts";
import type { AttemptContext, JsonObject, Reply, StreamEvent, Target } from "../types.ts";
import { assemble } from "./assemble.ts";
import { type Fields, fieldsOf } from "./fields.ts";
import { estimatePrompt, estimateTokens } from "./max-tokens.ts";
import { ChunkFailure, ChunkReader } from "./openai-chunks.ts";
import { readText } from "./read-body.ts";
import { type Reading, streamAnswer } from "./stream-answer.ts";
import { unfold } from "./unfold.ts";
import type { Begun, Upstream } from "./upstream.ts";
import { wholeReply } from "./whole-answer.ts";
import type { Dialect, Generation, WireRequest } from "./wire.ts";

/** An answer in one piece has no more bytes than this. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Asks a provider for text: as a stream, or in one piece, as the caller wants it. */
export function generation(
  upstream: Upstream,
  dialect: Dialect,
  operation: Generation,
): (target: Target, input: JsonObject, context: AttemptContext) => Promise<Reply> {
  const { settings } = upstream;
  const { id, limits } = settings;
  const chat = operation === "chat";

  return async (target, input, context) => {
    const streams = input.stream === true;
    const wire = dialect.request(target, operation, input, context);
    const body = JSON.stringify(wire.body);
    const { meter } = context;
    meter.startedAt = performance.now();
    const limitMs = streams ? limits.firstByte : limits.answer;
    const patience = new Patience(limitMs, () => {
      const error = tooSlow(id, limitMs);
      upstream.failed(error.message);
      context.abort(error);
    });
    // From here on it may be at work for this call, also if its caller leaves before it says a word; until
    // it says better, this is what it used. An attempt that fails is forgotten.
    meter.promptTokens = estimatePrompt(input) + estimateTokens(context.prefill?.length ?? 0);
    meter.source = "estimated";
    meter.unseen = !streams;
    try {
      const begun = await upstream.post({
        path: wire.path,
        body,
        upstreamId: target.upstreamId,
        prefill: context.prefill !== null,
        context,
      });
      const reading: Reading = {
        provider: settings,
        context,
        chat,
        choices: wire.choices,
        cutter: dialect.cutter(),
        adapt: (fields) => wire.adapt(fields, false),
        patience,
        refuse: begun.refuse,
      };
      const answer = await read(begun, reading, wire, streams);
      if (answer.kind === "json") patience.end();
      return answer;
    } catch (error) {
      patience.end();
      throw upstream.lost(context, error);
    }
  };

  async function read(
    begun: Begun,
    reading: Reading,
    wire: WireRequest,
    streams: boolean,
  ): Promise<Reply> {
    const { response, refuse } = begun;
    const type = response.headers.get("content-type")?.toLowerCase() ?? "";
    if (type.includes("text/html")) throw wrong(id, "a web page");
    const isStream = type.includes("event-stream") || type.includes("ndjson");
    const comesInPieces = streams ? isStream || !type.includes("json") : isStream;
    reading.context.meter.unseen = !comesInPieces;
    if (comesInPieces) {
      if (response.body === null) throw wrong(id, "nothing");
      const events = streamAnswer(reading, response.body);
      if (streams) return { kind: "stream", events };
      return wholeReply(await assemble(events, chat), reading);
    }
    const answer = await readWhole(id, response, refuse);
    const { context, patience } = reading;
    if (!streams) {
      const adapted = wire.adapt(answer, true);
      if (adapted === null) throw wrong(id, "no choices");
      return wholeReply(adapted, reading);
    }
    patience.end();
    const adapted = wire.adapt(answer, true);
    if (adapted === null || !Array.isArray(adapted.choices)) throw wrong(id, "no choices");
    const chunks = new ChunkReader(chat, context.meter, context.callId);
    const events: StreamEvent[] = [];
    for (const fields of unfold(adapted, chat)) {
      const event = chunks.read(fields);
      if (event instanceof ChunkFailure) throw refuse(event.error);
      if (event !== null) events.push(event);
    }
    events.push(...chunks.usage());
    return { kind: "stream", events: once(events) };
  }
}

async function* once(events: readonly StreamEvent[]): AsyncGenerator<readonly StreamEvent[]> {
  yield events;
}

async function readWhole(
  id: string,
  response: Response,
  refuse: (error: unknown) => GatewayError,
): Promise<Fields> {
  const text = await readText(response, MAX_ANSWER_BYTES);
  let fields: Fields | null;
  try {
    fields = fieldsOf(JSON.parse(text));
  } catch {
    throw wrong(id, "invalid JSON");
  }
  if (fields === null) throw wrong(id, "no JSON object");
  if (fields.error !== null && fields.error !== undefined) throw refuse(fields);
  return fields;
}

function wrong(id: string, what: string): GatewayError {
  return new GatewayError("upstream_error", `'${id}' answered with ${what}.`, { fault: "broken" });
}

function tooSlow(id: string, limitMs: number): GatewayError {
  return new GatewayError(
    "upstream_timeout",
    `'${id}' did not answer within ${limitMs / 1000} s.`,
    {
      fault: "silent",
    },
  );
}
