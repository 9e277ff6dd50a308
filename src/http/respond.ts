import type { GatewayError } from "../contract/errors.ts";
import { errorHeaders } from "../gateway/fail.ts";
import type { Answer } from "../gateway/pipeline.ts";
import type { KeepAlive } from "./sse.ts";

/** Turns a gateway's answer into a response. */
export function respond(answer: Answer, keepAlive: KeepAlive): Response {
  if ("json" in answer) {
    return Response.json(answer.json, { status: answer.status, headers: answer.headers });
  }
  return new Response(keepAlive.stream(answer.events), {
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
export function respondError(error: GatewayError, requestId: string): Response {
  return Response.json(error.toBody(), {
    status: error.status,
    headers: { ...errorHeaders(error), "x-request-id": requestId },
  });
}
