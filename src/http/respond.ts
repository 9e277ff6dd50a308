import { ErrorBody, type GatewayError } from "../contract/errors.ts";
import type { Answer } from "../gateway/answer.ts";
import { isLoopbackName } from "../gateway/authenticate.ts";
import { errorHeaders } from "../gateway/fail.ts";
import type { Voice } from "../gateway/voices/voice.ts";
import type { JsonObject } from "../types.ts";
import { streamOf } from "./pieces.ts";
import type { KeepAlive } from "./sse.ts";

/** Turns a gateway's answer into a response. `ended` is called with its last byte handed over. */
export function respond(
  request: Request,
  answer: Answer,
  keepAlive: KeepAlive,
  ended: () => void,
): Response {
  if ("json" in answer) {
    ended();
    const body = answer.status === 200 ? answer.json : withDocUrl(request, answer.json);
    return Response.json(body, { status: answer.status, headers: answer.headers });
  }
  if ("pieces" in answer) {
    const headers = { ...answer.headers, "content-type": "application/json" };
    return new Response(streamOf(answer.pieces, ended), { headers });
  }
  const stream = keepAlive.stream(answer.events, ended);
  try {
    return new Response(stream, { headers: { ...answer.headers, ...STREAM_HEADERS } });
  } catch (error) {
    // An answer that can't be sent must not go on being made.
    stream.cancel().catch(() => undefined);
    throw error;
  }
}

const STREAM_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache",
  // Tells nginx not to collect the stream into its buffers.
  "x-accel-buffering": "no",
};

/** An error outside the pipeline: an unknown path, a wrong method, a bad query. */
export function respondError(
  request: Request,
  error: GatewayError,
  voice: Voice,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json(withDocUrl(request, voice.errorBody(error, null)), {
    status: error.status,
    headers: { ...errorHeaders(error), ...headers, "x-request-id": requestId },
  });
}

/** The voice, whose last event of a broken stream names pages as the body of an error does. */
export function placed(request: Request, voice: Voice): Voice {
  return {
    ...voice,
    errorEvent: (error, provider, broken) =>
      withDocUrl(request, voice.errorEvent(error, provider, broken)),
  };
}

/**
 * The gateway names a page by its path; only here is it known under which address it was called. A
 * `Host` that is not this machine's is nobody's word, so then the path stays a path.
 */
function withDocUrl(request: Request, body: JsonObject | ErrorBody): JsonObject | ErrorBody {
  const parsed = ErrorBody.safeParse(body);
  if (!parsed.success || parsed.data.error.doc_url === undefined) return body;
  const { error } = parsed.data;
  const base = URL.parse(request.url);
  if (base === null || !isLoopbackName(base.hostname)) return body;
  return { ...body, error: { ...error, doc_url: new URL(parsed.data.error.doc_url, base).href } };
}
