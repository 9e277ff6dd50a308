import { type Usage, usageOf } from "../contract/usage.ts";
import type { Meter, StreamEvent } from "../types.ts";
import { completeChoice, type Fields, fieldsOf, withoutStamp } from "./openai-choices.ts";
import { meterUsage, readUsage } from "./openai-usage.ts";

/**
 * Reads one stream's events as servers write them and gives them as OpenAI's spec has them: the role
 * once, one finish reason a choice, nothing after it, usage kept for the end. Each event that says
 * something counts one token until the upstream's own usage comes.
 */
export class ChunkReader {
  readonly #chat: boolean;
  readonly #meter: Meter;
  readonly #begun = new Set<number>();
  readonly #finished = new Set<number>();
  #usage: Usage | null = null;

  constructor(chat: boolean, meter: Meter) {
    this.#chat = chat;
    this.#meter = meter;
  }

  /** The event in this text; null when there is nothing in it for the caller; or that it is an error. */
  read(text: string): StreamEvent | "error" | null {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return null;
    }
    const fields = fieldsOf(value);
    if (fields === null) return null;
    if (fields.error !== null && fields.error !== undefined) return "error";
    const usage = readUsage(fields.usage);
    if (usage !== null) {
      this.#usage = usage;
      meterUsage(this.#meter, usage);
    }
    const choices: Fields[] = [];
    let speaks = false;
    if (Array.isArray(fields.choices)) {
      for (const [position, item] of fields.choices.entries()) {
        const choice = fieldsOf(item);
        if (choice === null) continue;
        const index = typeof choice.index === "number" ? choice.index : position;
        if (this.#finished.has(index)) continue;
        speaks = completeChoice(choice, index, this.#chat, !this.#begun.has(index)) || speaks;
        this.#begun.add(index);
        if (choice.finish_reason !== null) this.#finished.add(index);
        choices.push(choice);
      }
    }
    if (choices.length === 0) return null;
    if (speaks) this.#count();
    return { ...withoutStamp(fields), choices } as StreamEvent;
  }

  /** Whether so many choices have begun and all of them have ended: only usage and `[DONE]` can follow. */
  finished(choices: number): boolean {
    return this.#finished.size >= choices && this.#finished.size === this.#begun.size;
  }

  /** The last event, for those who asked for it: the upstream's own usage, or what was estimated. */
  usage(): StreamEvent[] {
    if (this.#begun.size === 0) return [];
    const { promptTokens, completionTokens } = this.#meter;
    return [{ choices: [], usage: this.#usage ?? usageOf(promptTokens, completionTokens, 0) }];
  }

  #count(): void {
    const meter = this.#meter;
    if (meter.firstTokenAt === 0) meter.firstTokenAt = performance.now();
    if (meter.source === "upstream") return;
    meter.completionTokens += 1;
  }
}
