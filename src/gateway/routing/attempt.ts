import { GatewayError } from "../../contract/errors.ts";
import { says } from "../../lib/says.ts";
import type {
  AttemptRecord,
  JsonObject,
  Meter,
  Operation,
  OperationInput,
  StreamEvent,
  Target,
} from "../../types.ts";
import { OBJECTS } from "../answer.ts";
import { type Call, freshMeter } from "../call.ts";
import { type Gateway, LOCAL } from "../gateway.ts";
import type { Measured } from "./health.ts";
import { faultOf } from "./retry.ts";
import { verdictOn } from "./verdict.ts";

export type Events = AsyncIterator<readonly StreamEvent[]>;

/** A target's answer that has begun: the whole body, or the events up to the first token and where the rest comes from. */
export type Started =
  | { readonly kind: "json"; readonly attempt: Attempt; readonly body: JsonObject }
  | {
      readonly kind: "stream";
      readonly attempt: Attempt;
      readonly first: readonly StreamEvent[];
      readonly events: Events;
    };

/** One try at one target: what it uses, and how it ended. */
export class Attempt {
  readonly target: Target;
  readonly how: AttemptRecord["how"];
  readonly meter: Meter = freshMeter();
  /** Milliseconds in which the reader of its stream asked for nothing. */
  restedMs = 0;
  readonly #gateway: Gateway;
  readonly #call: Call;
  readonly #release: () => void;
  readonly #abort = new AbortController();
  readonly #startedAt = performance.now();
  readonly #isProbe: boolean;
  #ended = false;

  /** `release` gives back what it took of its provider's concurrency. */
  constructor(
    gateway: Gateway,
    call: Call,
    target: Target,
    how: AttemptRecord["how"],
    release: () => void,
  ) {
    this.target = target;
    this.how = how;
    this.#gateway = gateway;
    this.#call = call;
    this.#release = release;
    call.attempt = this;
    // Another source of a begun answer is the call's once it has gone on with it.
    if (how === "first" || how === "retry") call.target = target;
    call.interrupt = (reason) => this.#abort.abort(reason);
    this.#isProbe = gateway.health.asked(target.id, this.#startedAt);
  }

  /**
   * Asks the target and waits until it has begun to answer: the whole body, or a stream's first token.
   * @throws what the target says; the attempt has ended then
   */
  async begin<O extends Operation>(
    operation: O,
    input: OperationInput[O],
    prefill: string | null,
  ): Promise<Started> {
    const dropped = new Set<string>();
    const notes = new Map<string, string>();
    try {
      const run = this.#gateway.backends.get(this.target.provider)?.operations[operation];
      if (run === undefined) throw notOffered(this.target, this.#call.endpoint);
      const reply = await run(this.target, input, {
        callId: this.#call.id,
        signal: this.#abort.signal,
        abort: (reason) => this.#abort.abort(reason),
        meter: this.meter,
        dropped,
        keyId: this.#call.caller.keyId,
        prefill,
        notes,
      });
      const started = reply.kind === "json" ? this.#whole(reply.body) : await this.#stream(reply);
      for (const name of dropped) this.#call.dropped.add(name);
      for (const [name, value] of notes) this.#call.notes.set(name, value);
      return started;
    } catch (error) {
      this.end(error);
      throw error;
    }
  }

  get running(): boolean {
    return !this.#ended;
  }

  /** Null: it answered in full. Otherwise why it didn't. The first end counts. */
  end(error: unknown, tellHealth = true): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#release();
    const call = this.#call;
    if (call.attempt === this) call.attempt = null;
    const now = performance.now();
    const own = this.target.provider === LOCAL;
    const said = tellHealth && call.gone === null ? verdictOn(error, own) : "nothing";
    this.#gateway.health.ended(this.target.id, said, this.#measured(now), now, this.#isProbe);
    const failure = call.gone ?? error;
    if (this.#refused(failure)) return;
    const { provider, upstreamId, model } = this.target;
    const record: AttemptRecord = {
      provider,
      upstreamId,
      model: model.id,
      startMs: Math.round(this.#startedAt - call.startedAt),
      tookMs: Math.round(now - this.#startedAt),
      error: failure === null ? null : failure instanceof GatewayError ? failure.kind : "internal",
      message: messageOf(failure),
      how: this.how,
      completionTokens: this.meter.completionTokens,
      malformedEvents: this.meter.malformedEvents,
    };
    call.attempts.push(record);
    this.#gateway.observer?.attempted(call, record, failure);
  }

  /** An engine of our own would not have the request, and asked its model nothing: no attempt at all. */
  #refused(failure: unknown): boolean {
    if (this.target.provider !== LOCAL || this.meter.source !== "none") return false;
    return failure instanceof GatewayError && failure.status === 400;
  }

  /** Ends it for a reason that says nothing of the target, and stops its work. */
  abandon(reason: GatewayError): void {
    this.end(reason, false);
    this.#abort.abort(reason);
  }

  #measured(now: number): Measured {
    const { firstTokenAt, startedAt, completionTokens } = this.meter;
    const sentAt = startedAt || this.#startedAt;
    return {
      firstTokenMs: firstTokenAt === 0 ? null : firstTokenAt - sentAt,
      writingMs: now - (firstTokenAt || sentAt) - this.restedMs,
      completionTokens,
    };
  }

  #whole(body: JsonObject): Started {
    if (OBJECTS[this.#call.operation] !== null && !isWhole(body)) throw endedEarly(this.target);
    this.end(null);
    return { kind: "json", attempt: this, body };
  }

  /** Up to its first token a stream's failure is one like any other: nothing has been sent. */
  async #stream(reply: {
    readonly events: AsyncIterable<readonly StreamEvent[]>;
  }): Promise<Started> {
    const events = reply.events[Symbol.asyncIterator]();
    const first: StreamEvent[] = [];
    for (;;) {
      const step = await events.next();
      if (step.done === true) throw endedEarly(this.target);
      // Of those that say nothing only the first counts, with the role: there may be any number.
      for (const event of step.value) if (first.length === 0 || speaks(event)) first.push(event);
      if (step.value.some(speaks)) {
        this.#gateway.health.began(this.target.id, this.#isProbe);
        return { kind: "stream", attempt: this, first, events };
      }
    }
  }
}

/** What is kept of a failure's words: a refusal of the request itself may repeat what was in it. */
function messageOf(failure: unknown): string | null {
  if (!(failure instanceof GatewayError) || failure.kind === "client_closed") return null;
  const fault = faultOf(failure);
  return fault === "request" || fault === "context" ? null : failure.message;
}

/** The finish reason of the first choice that has one. */
export function finishReason(body: JsonObject): string | null {
  if (!Array.isArray(body.choices)) return null;
  for (const choice of body.choices) {
    if (typeof choice?.finish_reason === "string") return choice.finish_reason;
  }
  return null;
}

/** Whether every choice says why it ended. */
function isWhole(body: JsonObject): boolean {
  const { choices } = body;
  if (!Array.isArray(choices) || choices.length === 0) return false;
  return choices.every((choice) => typeof choice?.finish_reason === "string");
}

/** Whether an event says something, be it only that the answer has ended. */
function speaks(event: StreamEvent): boolean {
  for (const choice of event.choices) {
    if (choice.finish_reason !== null) return true;
    if (!("delta" in choice)) return choice.text !== "";
    const delta = choice.delta as Readonly<JsonObject>;
    for (const name in delta) {
      if (name !== "role" && says(delta[name])) return true;
    }
  }
  return false;
}

/** An answer that ended without saying why: never passed off as a success. */
export function endedEarly(target: Target | null): GatewayError {
  return new GatewayError(
    "upstream_error",
    `The answer broke off: '${target?.provider ?? "the provider"}' ended it without a finish reason.`,
    { fault: "broken" },
  );
}

function notOffered(target: Target, endpoint: string): GatewayError {
  return new GatewayError(
    "invalid_request",
    `The model '${target.model.id}' does not answer ${endpoint}: its provider '${target.provider}' has no such operation.`,
    { param: "model", fault: "unsupported" },
  );
}
