import type { GatewayError } from "../../contract/errors.ts";
import type { JsonObject, Price, StreamEvent } from "../../types.ts";
import type { AnswerHeaders } from "../answer.ts";

/** A choice of a stream that has begun and has no finish reason yet. */
export interface BrokenStream {
  /** What each event of the stream begins with: id, object, created, model, … */
  readonly stamp: JsonObject;
  readonly openChoices: readonly number[];
}

/**
 * How answers sound: what differs between the dialects that callers speak to us. One pipeline makes
 * the answers; it asks the voice wherever the dialects part.
 */
export interface Voice {
  /** The comment, with the empty line, that keeps a silent stream alive. */
  readonly keepAlive: string;
  /** Whether a stream ends with its usage even when the caller did not ask. */
  readonly usageUnasked: boolean;
  /** How a provider is named in an answer, by its id and by what people call it. */
  provider(id: string, name: string): string;
  /** Headers that name a call, besides those every voice has. */
  headers(callId: string): AnswerHeaders;
  /** A failure as its callers know it: paths that make images have another status for bad requests. */
  failure(error: GatewayError): GatewayError;
  /** A failure as the body of an answer. `provider` is the one at which it happened. */
  errorBody(error: GatewayError, provider: string | null): JsonObject;
  /** The last event of a stream that fails; after it, the stream closes. */
  errorEvent(error: GatewayError, provider: string | null, broken: BrokenStream): JsonObject;
  /** The fields of a whole answer, before the stamp is set in front of them. */
  whole(body: JsonObject, price: Price | null): JsonObject;
  /** The fields of an answer that is no chat's and no text's. */
  plain(body: JsonObject): JsonObject;
  /** The fields of one event of a stream. */
  event(event: StreamEvent, price: Price | null): JsonObject;
}

/** OpenAI's own: the error as the last event, no finish reason, no `[DONE]`. */
export const openAiVoice: Voice = {
  keepAlive: ": keepalive\n\n",
  usageUnasked: false,
  provider: (id) => id,
  headers: () => ({}),
  failure: (error) => error,
  errorBody: (error) => error.toBody(),
  errorEvent: (error) => error.toBody(),
  whole: (body) => body,
  plain: (body) => body,
  event: (event) => event,
};
