import type { ErrorBody } from "../contract/errors.ts";
import type { JsonObject, Operation } from "../types.ts";
import { type Call, NOBODY } from "./call.ts";
import type { Gateway } from "./gateway.ts";
import { planOf } from "./limits/plans.ts";

/** A streamed body: pieces of text to write as they come, and a way to say that nobody reads it any more. */
export interface EventBody {
  /** What to write while nothing comes, so that nobody takes the stream for dead. */
  readonly keepAlive: string;
  /** The next piece; null at the end. Never rejects: a failure is a piece of its own. */
  next(): Promise<string | null>;
  cancel(): void;
}

/** A whole body that is written in pieces, since it is too large to be there twice. */
export interface PieceBody {
  /** The next piece; null at the end. Rejects where the call was ended: what was sent is no answer. */
  next(): Promise<string | null>;
  cancel(): void;
}

export type AnswerHeaders = Readonly<Record<string, string>>;

export type Answer =
  | {
      readonly status: number;
      readonly headers: AnswerHeaders;
      readonly json: JsonObject | ErrorBody;
    }
  | { readonly status: 200; readonly headers: AnswerHeaders; readonly events: EventBody }
  | { readonly status: 200; readonly headers: AnswerHeaders; readonly pieces: PieceBody };

/** The `object` of a whole answer and of a streamed piece. Other operations name their own. */
export const OBJECTS: Record<Operation, { whole: string; chunk: string } | null> = {
  chat: { whole: "chat.completion", chunk: "chat.completion.chunk" },
  completions: { whole: "text_completion", chunk: "text_completion" },
  embeddings: null,
  tokenize: null,
  detokenize: null,
  upscale: null,
};

/** The headers every answer has once its caller is known. */
export function answerHeaders(gateway: Gateway, call: Call): AnswerHeaders {
  const headers: Record<string, string> = {
    ...limitsOf(gateway, call),
    "x-request-id": call.clientRequestId ?? call.id,
    "x-covey-call-id": call.id,
    ...call.voice.headers(call.id),
  };
  if (call.target !== null) headers["x-covey-provider"] = call.target.provider;
  for (const [name, value] of call.notes) headers[name] = value;
  if (call.dropped.size > 0) headers["x-covey-dropped-params"] = droppedHeader([...call.dropped]);
  return headers;
}

/** Those of the caller's key; nobody's where it is not known who calls. */
function limitsOf({ limiter, plans }: Gateway, { lease, caller }: Call): AnswerHeaders {
  if (lease !== null) return lease.headers;
  return caller === NOBODY ? {} : limiter.headers(caller.keyId, planOf(plans, caller).limits);
}

const SHOWN_DROPPED = 32;
const HEADER_SAFE_NAME = /^[\w.-]{1,64}$/;

/**
 * The names in a header. Callers choose them, so only plain ones are shown, and not any number of
 * them: a header must hold neither line ends nor a thousand names.
 */
export function droppedHeader(names: readonly string[]): string {
  const plain = names.filter((name) => HEADER_SAFE_NAME.test(name)).slice(0, SHOWN_DROPPED);
  const others = names.length - plain.length;
  return others === 0 ? plain.join(", ") : [...plain, `(${others} more)`].join(", ");
}
