import type { Usage } from "../contract/usage.ts";
import { toolCallId } from "../lib/id.ts";
import type { Meter, StreamEvent } from "../types.ts";
import { type Fields, fieldsOf } from "./fields.ts";
import { ChoiceReader, withoutStamp } from "./openai-choices.ts";
import { readUsage, settleUsage, type ToldUsage } from "./openai-usage.ts";

/** A stream's event that is an error, or a choice that the server gave up. */
export class ChunkFailure {
  /** What it said of the error; null when it only stopped. */
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/**
 * Reads one stream's events as servers write them and gives them as OpenAI's spec has them: the role
 * once, one finish reason a choice, nothing after it, usage kept for the end. Each event that says
 * something counts one token until the upstream's own usage comes.
 */
export class ChunkReader {
  readonly #chat: boolean;
  readonly #meter: Meter;
  readonly #callId: string;
  readonly #choices = new Map<number, ChoiceReader>();
  #finished = 0;
  #told: ToldUsage | null = null;
  /** Nothing was said since the upstream told its usage. */
  #toldLast = false;
  #counted = 0;
  /** The event that was read last said something. */
  spoke = false;

  /** `callId` makes the ids of tool calls that the server gave none. */
  constructor(chat: boolean, meter: Meter, callId: string) {
    this.#chat = chat;
    this.#meter = meter;
    this.#callId = callId;
  }

  /** One event's fields; null when there is nothing in it for the caller. */
  read(fields: Fields): StreamEvent | ChunkFailure | null {
    this.spoke = false;
    if (fields.error !== null && fields.error !== undefined) return new ChunkFailure(fields.error);
    const choices: Fields[] = [];
    let speaks = false;
    if (Array.isArray(fields.choices)) {
      for (const [position, item] of fields.choices.entries()) {
        const choice = fieldsOf(item);
        if (choice === null) continue;
        if (choice.error !== null && choice.error !== undefined) {
          return new ChunkFailure(choice.error);
        }
        const index = typeof choice.index === "number" ? choice.index : position;
        const reader = this.#choice(index);
        if (reader.finished) continue;
        choice.finish_reason ??= null;
        const said = reader.read(choice, index);
        if (said === "failed") return new ChunkFailure(null);
        if (said) speaks = true;
        if (reader.finished) this.#finished += 1;
        choices.push(choice);
      }
    }
    if (speaks) this.#count();
    if (fields.usage !== null && fields.usage !== undefined) this.#hear(fields.usage);
    if (choices.length === 0) return null;
    return { ...withoutStamp(fields), choices } as StreamEvent;
  }

  /** Whether so many choices have begun and all of them have ended: only usage and `[DONE]` can follow. */
  finished(choices: number): boolean {
    return this.#finished >= choices && this.#finished === this.#choices.size;
  }

  /**
   * The last event, for those who asked for it: the upstream's own usage, or what was counted. None
   * of an answer that has not ended: it may go on elsewhere.
   */
  usage(): StreamEvent[] {
    if (this.#choices.size === 0 || this.#finished < this.#choices.size) return [];
    const told = this.#told;
    // A count from before the last words is not the whole.
    const stale = !this.#toldLast && told !== null && (told.completion ?? 0) < this.#counted;
    const usage: Usage = settleUsage(
      this.#meter,
      stale ? { ...told, completion: null, cost: null } : told,
      this.#counted,
    );
    return [{ choices: [], usage }];
  }

  #choice(index: number): ChoiceReader {
    const known = this.#choices.get(index);
    if (known !== undefined) return known;
    const newId = (call: number) => toolCallId(this.#callId, index, call);
    const reader = new ChoiceReader(this.#chat, newId);
    this.#choices.set(index, reader);
    return reader;
  }

  #count(): void {
    const meter = this.#meter;
    this.spoke = true;
    this.#toldLast = false;
    this.#counted += 1;
    if (meter.firstTokenAt === 0) meter.firstTokenAt = performance.now();
    if (meter.completionTokens < this.#counted) meter.completionTokens = this.#counted;
  }

  #hear(value: unknown): void {
    const told = readUsage(value);
    if (told === null) return;
    this.#told = told;
    this.#toldLast = true;
    const meter = this.#meter;
    if (told.prompt !== null && told.prompt > 0) meter.promptTokens = told.prompt;
    meter.cachedTokens = told.cached;
    if (told.completion === null || told.completion < this.#counted) return;
    meter.completionTokens = told.completion;
    meter.source = "upstream";
  }
}
