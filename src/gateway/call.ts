import type { GatewayError } from "../contract/errors.ts";
import { timeOrderedId } from "../lib/id.ts";
import type { AttemptRecord, Caller, Meter, Operation, Target } from "../types.ts";
import { CallMeter } from "./call-meter.ts";
import type { Capture } from "./capture.ts";
import type { MostUsed } from "./limits/claim.ts";
import type { Lease } from "./limits/limits.ts";
import type { Attempt } from "./routing/attempt.ts";
import type { Voice } from "./voices/voice.ts";

/** A request as the gateway sees it: no framework, no socket. */
export interface Incoming {
  /** The path of the contract, such as `/v1/chat/completions`. */
  readonly endpoint: string;
  /** The dialect its caller speaks. */
  readonly voice: Voice;
  readonly headers: Headers;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
  /** The body, parsed but not validated. Rejects with 400, 413 or 415. */
  body(): Promise<unknown>;
}

/** Everything known about one request while it is being answered. It becomes one row of the call log. */
export interface Call {
  readonly id: string;
  readonly operation: Operation;
  readonly endpoint: string;
  readonly voice: Voice;
  /** Arrival, in Unix milliseconds and on the `performance.now()` clock. */
  readonly at: number;
  readonly startedAt: number;
  readonly clientRequestId: string | null;
  /** What all its attempts used together. */
  readonly meter: CallMeter;
  readonly dropped: Set<string>;
  /** More response headers, such as `x-covey-json-schema`. */
  readonly notes: Map<string, string>;
  /** Every attempt that has ended. */
  readonly attempts: AttemptRecord[];
  /** The attempt that runs. */
  attempt: Attempt | null;
  /** Why it was ended from outside: its client left, or the server stops. */
  gone: GatewayError | null;
  /** How to stop what is being done or waited for on its behalf. */
  interrupt: ((reason: GatewayError) => void) | null;
  caller: Caller;
  /** As asked for, until it is resolved; then the canonical id. */
  model: string | null;
  lease: Lease | null;
  /** What it is taken to have used where nobody can tell. */
  most: MostUsed;
  /** The target that answered, or was tried last. */
  target: Target | null;
  finishReason: string | null;
  /** What of its payload is kept; null where nothing is. */
  capture: Capture | null;
  reserved: boolean;
  /** Its answer is made, and being written. */
  sending: boolean;
  /** Set by the first settle; later ones get the same promise. */
  settled: Promise<void> | null;
}

const ID_PREFIX: Record<Operation, string> = {
  chat: "chatcmpl-",
  completions: "cmpl-",
  embeddings: "embd-",
  tokenize: "tok-",
  detokenize: "detok-",
  upscale: "img-",
};

/** Until it is known who calls. */
export const NOBODY: Caller = { keyId: "unknown", role: "anonymous", key: null };
const REQUEST_ID = /^[\w.:/+=-]{1,128}$/;

/** The client's own `x-request-id`, if it is one that can be echoed safely. */
export function clientRequestId(headers: Headers): string | null {
  const sent = headers.get("x-request-id");
  return sent !== null && REQUEST_ID.test(sent) ? sent : null;
}

/** Ends a call from outside. The first reason counts. */
export function endCall(call: Call, reason: GatewayError): void {
  if (call.gone !== null) return;
  call.gone = reason;
  call.interrupt?.(reason);
}

/** The meter of an attempt that has used nothing. */
export function freshMeter(): Meter {
  return {
    promptTokens: 0,
    completionTokens: 0,
    cachedTokens: 0,
    images: 0,
    imagesRead: 0,
    pixels: 0,
    progress: null,
    source: "none",
    unseen: false,
    startedAt: 0,
    firstTokenAt: 0,
    malformedEvents: 0,
    providerCost: null,
  };
}

export function openCall(operation: Operation, incoming: Incoming, at: number): Call {
  return {
    id: timeOrderedId(ID_PREFIX[operation], at),
    operation,
    endpoint: incoming.endpoint,
    voice: incoming.voice,
    at,
    startedAt: performance.now(),
    clientRequestId: clientRequestId(incoming.headers),
    meter: new CallMeter(),
    dropped: new Set(),
    notes: new Map(),
    attempts: [],
    attempt: null,
    gone: null,
    interrupt: null,
    caller: NOBODY,
    model: null,
    lease: null,
    most: { promptTokens: 0, completionTokens: 0 },
    target: null,
    finishReason: null,
    capture: null,
    reserved: false,
    sending: false,
    settled: null,
  };
}
