import { account } from "./account.ts";
import { type Answer, answerHeaders, OBJECTS } from "./answer.ts";
import type { Call } from "./call.ts";
import type { Gateway } from "./gateway.ts";
import { LargeAnswer } from "./large.ts";
import { shownProvider } from "./listing/provider-name.ts";
import { finishReason, type Started } from "./routing/attempt.ts";

/** Settles the call and answers in one piece; an image is written in several, and settles the call with the last. */
export async function whole(gateway: Gateway, call: Call, started: Started): Promise<Answer> {
  if (started.kind === "stream") {
    throw new TypeError(`${call.target?.provider ?? "a backend"} streamed a whole answer`);
  }
  const objects = OBJECTS[call.operation];
  if (objects !== null) {
    call.finishReason = finishReason(started.body);
  }
  if (call.operation === "upscale") {
    // Interrupted in its last moment: it has been settled so.
    if (call.gone !== null) throw call.gone;
    const json = { model: call.model, ...call.voice.plain(started.body) };
    const headers = answerHeaders(gateway, call);
    return { status: 200, headers, pieces: new LargeAnswer(gateway, call, json) };
  }
  if (call.capture !== null) call.capture.whole = started.body;
  await account(gateway, call, { status: "completed", httpStatus: 200, error: null });
  const json =
    objects === null
      ? { model: call.model, ...call.voice.plain(started.body) }
      : {
          id: call.id,
          object: objects.whole,
          created: Math.floor(call.at / 1000),
          model: call.model,
          provider: shownProvider(gateway, call),
          ...call.voice.whole(started.body, call.target?.price ?? null),
        };
  return { status: 200, headers: answerHeaders(gateway, call), json };
}
