import { GatewayError } from "../../contract/errors.ts";
import { usageOf } from "../../contract/usage.ts";
import type { Operation, StreamEvent } from "../../types.ts";
import type { Call } from "../call.ts";
import type { Gateway } from "../gateway.ts";
import { endedEarly, type Started } from "../routing/attempt.ts";
import { freshRetries } from "../routing/reach.ts";
import { faultOf, type Retries } from "../routing/retry.ts";
import type { Request } from "../routing/route.ts";
import { choicesAsked, stopsOf, waysOn } from "./recovery.ts";
import { remember, resume, type Source } from "./resume.ts";
import { StopCut } from "./stop-cut.ts";
import { Transcript } from "./transcript.ts";

type Group = readonly StreamEvent[];

/** Times one answer may break off and be gone on with. */
const MOST_RESUMES = 5;

/**
 * A stream that survives its source: when it dies, stalls or goes wrong after tokens were sent, the
 * answer goes on from elsewhere, and the reader sees one. What can't be gone on with ends in the
 * failure. Only targets of the same model are asked.
 */
export class SurvivingStream<O extends Operation> {
  readonly transcript = new Transcript();
  readonly #gateway: Gateway;
  readonly #call: Call;
  readonly #request: Request<O>;
  readonly #stops: readonly string[];
  readonly #choices: number;
  #retries: Retries | null = null;
  #source: Source;
  #stop: StopCut | null;
  /** Events that have come and were not looked at. */
  #pending: Group | null;
  /** When the reader got the last events. */
  #givenAt = performance.now();
  #resumes = 0;
  #usageTold = false;
  #ended = false;

  constructor(
    gateway: Gateway,
    call: Call,
    request: Request<O>,
    started: Extract<Started, { kind: "stream" }>,
  ) {
    this.#gateway = gateway;
    this.#call = call;
    this.#request = request;
    this.#stops = stopsOf(request.operation, request.input);
    this.#choices = choicesAsked(request.operation, request.input);
    this.#source = { ...started, seam: null };
    this.#pending = started.first;
    this.#stop = this.#stops.length === 0 ? null : new StopCut(this.#stops);
  }

  /** The next events; null at the end of a whole answer. @throws GatewayError */
  async next(): Promise<Group | null> {
    this.#source.attempt.restedMs += performance.now() - this.#givenAt;
    const group = await this.#next();
    this.#givenAt = performance.now();
    return group;
  }

  async #next(): Promise<Group | null> {
    while (!this.#ended) {
      let group: Group | null;
      try {
        group = this.#pending ?? (await this.#read());
        if (group === null && !this.#complete) throw endedEarly(this.#source.attempt.target);
      } catch (error) {
        group = await this.#recover(error);
      }
      this.#pending = null;
      if (group === null) return this.#end();
      const shown = this.#show(group);
      if (shown.length > 0) return shown;
    }
    return null;
  }

  /** The reader has gone. */
  leave(): void {
    this.#ended = true;
    this.#close();
  }

  /** Whether all the answers that were asked for have ended. */
  get #complete(): boolean {
    return this.transcript.complete && this.transcript.choices.size >= this.#choices;
  }

  async #read(): Promise<Group | null> {
    // Its target did not see the stop string, and is not listened to any more.
    if (this.#stop?.stopped === true) return null;
    const step = await this.#source.events.next();
    return step.done === true ? null : step.value;
  }

  /** A source that rests until the next piece is asked for does not hear an abort. */
  #close(): void {
    this.#source.events.return?.()?.catch(() => undefined);
  }

  /** The events as the reader gets them: joined at the seam, cut at a stop string, with the whole answer's usage. */
  #show(group: Group): StreamEvent[] {
    const { seam } = this.#source;
    const shown: StreamEvent[] = [];
    for (const event of group) {
      // The first events of a later source have been joined already.
      const joined = seam === null || group === this.#source.first ? event : seam.take(event);
      const cut = joined === null || this.#stop === null ? joined : this.#stop.cut(joined);
      if (cut === null) continue;
      this.transcript.add(cut);
      const counted = this.#counted(cut);
      if (counted !== null) shown.push(counted);
      if (this.#stop?.stopped === true) {
        this.#close();
        break;
      }
    }
    return shown;
  }

  /** Usage is told once, of a whole answer: what a source tells that has not come to its end is not. */
  #counted(event: StreamEvent): StreamEvent | null {
    if (event.usage === undefined || event.usage === null) return event;
    if (!this.#complete) return event.choices.length === 0 ? null : withoutUsage(event);
    this.#usageTold = true;
    return this.#resumes === 0 ? event : { ...event, usage: this.#usage() };
  }

  #usage() {
    const { promptTokens, completionTokens, cachedTokens, imagesRead, pixels } = this.#call.meter;
    const tokens = usageOf(promptTokens, completionTokens, cachedTokens);
    return imagesRead === 0 ? tokens : { ...tokens, images: imagesRead, pixels };
  }

  /** The end of a whole answer: its usage, if no event told it. */
  #end(): Group | null {
    this.#ended = true;
    this.#source.attempt.end(null);
    return this.#usageTold ? null : [{ choices: [], usage: this.#usage() }];
  }

  /** The first events of another source; null when nothing more is to come. @throws the failure */
  async #recover(failure: unknown): Promise<Group | null> {
    const { attempt } = this.#source;
    // All that the caller can see had come; only the count was missing.
    if (this.#call.gone === null && this.#complete) return null;
    attempt.end(failure);
    this.#close();
    if (this.#call.gone !== null || !(failure instanceof GatewayError)) throw failure;
    const { operation, input } = this.#request;
    const ways = waysOn(operation, input, this.transcript);
    const fault = faultOf(failure);
    const hopeless = fault === "request" || fault === "context" || !(ways.restart || ways.continue);
    if (hopeless || !this.#gateway.routing.resume || this.#resumes === MOST_RESUMES) throw failure;
    this.#resumes += 1;
    const source = await resume(
      {
        gateway: this.#gateway,
        call: this.#call,
        request: this.#request,
        transcript: this.transcript,
        dead: attempt,
        failure,
        retries: this.#renewed(failure),
      },
      ways,
    );
    if (source === "length") return [lengthReached(operation)];
    this.#source = source;
    if (this.#call.gone !== null) {
      this.#close();
      throw this.#call.gone;
    }
    this.#stop = this.#stops.length === 0 ? null : new StopCut(this.#stops);
    return source.first;
  }

  /** The answer has made progress: attempts and time count anew, but what is known of the targets stays. */
  #renewed(failure: GatewayError): Retries {
    const fresh = freshRetries(this.#gateway);
    const retries = { ...fresh, tried: this.#retries?.tried ?? fresh.tried };
    this.#retries = retries;
    remember(retries, this.#source.attempt.target, failure);
    return retries;
  }
}

function withoutUsage({ usage: _usage, ...event }: StreamEvent): StreamEvent {
  return event;
}

function lengthReached(operation: Operation): StreamEvent {
  const finish_reason = "length";
  return operation === "chat"
    ? { choices: [{ index: 0, delta: {}, logprobs: null, finish_reason }] }
    : { choices: [{ index: 0, text: "", logprobs: null, finish_reason }] };
}
