import type { JsonObject, Operation } from "../types.ts";
import { account } from "./account.ts";
import { endedEarly, type Started } from "./attempt.ts";
import type { Call } from "./call.ts";
import type { Gateway } from "./gateway.ts";
import type { Answer, AnswerHeaders } from "./pipeline.ts";

/** The `object` of a whole answer and of a streamed piece. Token operations name their own. */
export const OBJECTS: Record<Operation, { whole: string; chunk: string } | null> = {
  chat: { whole: "chat.completion", chunk: "chat.completion.chunk" },
  completions: { whole: "text_completion", chunk: "text_completion" },
  tokenize: null,
  detokenize: null,
};

/** Settles the call and answers in one piece. */
export async function whole(gateway: Gateway, call: Call, started: Started): Promise<Answer> {
  if (started.kind === "stream") {
    throw new TypeError(`${call.target?.provider ?? "a backend"} streamed a whole answer`);
  }
  const objects = OBJECTS[call.operation];
  if (objects !== null) {
    call.finishReason = finishReason(started.body);
    if (call.finishReason === null) throw endedEarly(call.target);
  }
  await account(gateway, call, { status: "completed", httpStatus: 200, error: null });
  const json =
    objects === null
      ? { model: call.model, ...started.body }
      : {
          id: call.id,
          object: objects.whole,
          created: Math.floor(call.at / 1000),
          model: call.model,
          provider: call.target?.provider,
          ...started.body,
        };
  return { status: 200, headers: answerHeaders(gateway, call), json };
}

/** The finish reason of the first choice that has one. */
function finishReason(body: JsonObject): string | null {
  if (!Array.isArray(body.choices)) return null;
  for (const choice of body.choices) {
    if (typeof choice?.finish_reason === "string") return choice.finish_reason;
  }
  return null;
}

/** The headers every answer has once its caller is known. */
export function answerHeaders(gateway: Gateway, call: Call): AnswerHeaders {
  const limits =
    call.lease?.headers ?? gateway.admission.headers(call.caller, performance.now(), Date.now());
  const headers: Record<string, string> = {
    ...limits,
    "x-request-id": call.clientRequestId ?? call.id,
    "x-covey-call-id": call.id,
  };
  if (call.target !== null) headers["x-covey-provider"] = call.target.provider;
  if (call.dropped.size > 0) headers["x-covey-dropped-params"] = [...call.dropped].join(", ");
  return headers;
}
