import { ErrorBody, type GatewayError } from "../contract/errors.ts";
import type { Answer } from "../gateway/answer.ts";
import { errorHeaders } from "../gateway/fail.ts";
import type { JsonObject } from "../types.ts";
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
  return new Response(keepAlive.stream(answer.events, ended), {
    headers: {
      ...answer.headers,
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      // Tells nginx not to collect the stream into its buffers.
      "x-accel-buffering": "no",
    },
  });
}

/** An error outside the pipeline: an unknown path, a wrong method, a bad query. */
export function respondError(request: Request, error: GatewayError, requestId: string): Response {
  return Response.json(withDocUrl(request, error.toBody()), {
    status: error.status,
    headers: { ...errorHeaders(error), "x-request-id": requestId },
  });
}

/** The gateway names a page by its path; only here is it known under which address it was called. */
function withDocUrl(request: Request, body: JsonObject | ErrorBody): JsonObject | ErrorBody {
  const parsed = ErrorBody.safeParse(body);
  if (!parsed.success || parsed.data.error.doc_url === undefined) return body;
  const { error } = parsed.data;
  return { error: { ...error, doc_url: new URL(parsed.data.error.doc_url, request.url).href } };
}
