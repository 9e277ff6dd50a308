import type { JsonObject, Operation, StreamEvent } from "../types.ts";
import { account, failureOf } from "./account.ts";
import { type Answer, answerHeaders, type EventBody, OBJECTS } from "./answer.ts";
import type { Call } from "./call.ts";
import { cancel, explain } from "./fail.ts";
import type { Gateway } from "./gateway.ts";
import { nameOf, shownProvider } from "./listing/provider-name.ts";
import { SurvivingStream } from "./resume/survive.ts";
import type { Started } from "./routing/attempt.ts";
import type { Request } from "./routing/route.ts";

const PENDING = Symbol("pending");

/**
 * Answers in events. Until the target has begun, or `firstByteDelayMs` has passed, nothing is sent:
 * a failure in that time is thrown and gets its real status. Later ones are told in the stream.
 */
export async function stream<O extends Operation>(
  gateway: Gateway,
  call: Call,
  request: Request<O>,
  started: Promise<Started>,
  includeUsage: boolean,
): Promise<Answer> {
  let timer: Timer | undefined;
  const patience = new Promise<typeof PENDING>((resolve) => {
    timer = setTimeout(resolve, gateway.options.firstByteDelayMs, PENDING);
  });
  let late: boolean;
  try {
    late = (await Promise.race([started, patience])) === PENDING;
  } finally {
    clearTimeout(timer);
  }
  const events = new EventStream(gateway, call, request, started, includeUsage, late);
  return { status: 200, headers: answerHeaders(gateway, call), events };
}

/** The wire text of one streamed answer: stamped events, one finish a choice, usage once, `[DONE]` last. */
class EventStream<O extends Operation> implements EventBody {
  readonly keepAlive: string;
  readonly #gateway: Gateway;
  readonly #call: Call;
  readonly #request: Request<O>;
  readonly #started: Promise<Started>;
  readonly #includeUsage: boolean;
  #source: SurvivingStream<O> | null = null;
  #done = false;
  /** Nothing has come yet: a comment first, since the runtime sends the headers with the first piece. */
  #late: boolean;
  /** The same first bytes of every event. */
  #head = "";

  constructor(
    gateway: Gateway,
    call: Call,
    request: Request<O>,
    started: Promise<Started>,
    includeUsage: boolean,
    late: boolean,
  ) {
    this.#gateway = gateway;
    this.#call = call;
    this.#request = request;
    this.#started = started;
    this.#includeUsage = includeUsage || call.voice.usageUnasked;
    this.keepAlive = call.voice.keepAlive;
    this.#late = late;
  }

  async next(): Promise<string | null> {
    if (this.#done) return null;
    if (this.#late) {
      this.#late = false;
      return this.keepAlive;
    }
    try {
      for (;;) {
        this.#source ??= await this.#begin();
        const group = await this.#source.next();
        if (group === null) return await this.#finish();
        const text = this.#encode(group);
        if (text !== "") return text;
      }
    } catch (thrown) {
      return await this.#fail(thrown);
    }
  }

  cancel(): void {
    this.#done = true;
    cancel(this.#gateway, this.#call);
    if (this.#source !== null) this.#source.leave();
    else this.#started.then(close, ignore);
  }

  async #begin(): Promise<SurvivingStream<O>> {
    const started = await this.#started;
    if (started.kind !== "stream") throw new TypeError("a backend did not stream");
    this.#head = `data: ${JSON.stringify(this.#stamp()).slice(0, -1)},`;
    const source = new SurvivingStream(this.#gateway, this.#call, this.#request, started);
    if (this.#call.capture !== null) this.#call.capture.transcript = source.transcript;
    return source;
  }

  #stamp(): JsonObject {
    const { id, at, model, operation } = this.#call;
    return {
      id,
      object: OBJECTS[operation]?.chunk,
      created: Math.floor(at / 1000),
      model,
      provider: shownProvider(this.#gateway, this.#call),
    };
  }

  #encode(group: readonly StreamEvent[]): string {
    const { voice, target } = this.#call;
    const price = target?.price ?? null;
    let text = "";
    for (const event of group) {
      for (const choice of event.choices) {
        if (typeof choice.finish_reason === "string") {
          this.#call.finishReason = choice.finish_reason;
        }
      }
      const shown = this.#includeUsage ? event : withoutUsage(event);
      if (shown === null) continue;
      text += `${this.#head}${JSON.stringify(voice.event(shown, price)).slice(1)}\n\n`;
    }
    return text;
  }

  async #finish(): Promise<string> {
    this.#done = true;
    await account(this.#gateway, this.#call, { status: "completed", httpStatus: 200, error: null });
    return "data: [DONE]\n\n";
  }

  /** The error as the last event, in the caller's dialect, and no `[DONE]`. */
  async #fail(thrown: unknown): Promise<string | null> {
    this.#done = true;
    if (this.#call.settled !== null) return null;
    const error = explain(this.#gateway, this.#call, thrown);
    await account(this.#gateway, this.#call, failureOf(this.#call, error));
    const { voice, target } = this.#call;
    const open = this.#source?.transcript.open ?? [];
    const last = voice.errorEvent(
      error,
      target === null ? null : nameOf(this.#gateway, target.provider),
      {
        stamp: this.#stamp(),
        openChoices: open.length === 0 ? [0] : open,
      },
    );
    return `data: ${JSON.stringify(last)}\n\n`;
  }
}

/** A source that has begun, and that nobody will read. */
function close(started: Started): void {
  if (started.kind === "stream") started.events.return?.()?.catch(ignore);
}

function ignore(): void {
  // The call has been settled; nobody waits for this.
}

/** Usage goes only to those who asked; an event that held nothing else is not sent. */
function withoutUsage(event: StreamEvent): StreamEvent | null {
  if (event.usage === undefined || event.usage === null) return event;
  if (event.choices.length === 0) return null;
  const { usage: _usage, ...rest } = event;
  return rest;
}
