import type { JsonObject } from "../types.ts";
import { OBJECTS } from "./answer.ts";
import type { Call } from "./call.ts";
import type { Gateway } from "./gateway.ts";
import type { SentChoice, Transcript } from "./resume/transcript.ts";

/** What is kept of a call, for as long as it runs: references to what is there anyway. */
export interface Capture {
  readonly request: JsonObject;
  whole: JsonObject | null;
  transcript: Transcript | null;
}

/** Whether this call's payload is kept, decided once. What cuts texts into tokens never is. */
export function beginCapture(gateway: Gateway, call: Call, request: JsonObject): Capture | null {
  const isKept = OBJECTS[call.operation] !== null || call.operation === "embeddings";
  if (!isKept || gateway.payloads?.wants(call.caller) !== true) return null;
  return { request, whole: null, transcript: null };
}

/** Hands over what the call asked and was answered. Costs nothing where nothing is kept. */
export function endCapture(gateway: Gateway, call: Call): void {
  const { capture, id, at } = call;
  if (capture === null) return;
  call.capture = null;
  const { request, whole, transcript } = capture;
  const answer = whole ?? (transcript === null ? null : saidIn(transcript));
  gateway.payloads?.keep({ id, at, request, answer });
}

/** A stream's answer as one object. */
export function saidIn(transcript: Transcript): JsonObject {
  return {
    choices: [...transcript.choices].map(([index, sent]) => ({
      index,
      ...partsOf(sent),
      finished: sent.finished,
    })),
  };
}

function partsOf({ text, reasoning, refusal, tools }: SentChoice): JsonObject {
  const said: JsonObject = { text };
  if (reasoning !== "") said.reasoning = reasoning;
  if (refusal !== "") said.refusal = refusal;
  if (tools.size > 0) said.tool_calls = [...tools.values()].map((tool) => ({ ...tool }));
  return said;
}
