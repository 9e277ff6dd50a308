import { says } from "../../lib/says.ts";
import type { JsonObject, StreamEvent } from "../../types.ts";

/** A tool call as far as it was sent. */
export interface SentTool {
  name: string;
  arguments: string;
  /** All of its name was sent: its arguments have begun, be it with nothing. */
  named: boolean;
}

/** One choice as far as it was sent to the caller. */
export interface SentChoice {
  /** Of a chat or of a completion. */
  text: string;
  reasoning: string;
  refusal: string;
  /** By their index. */
  readonly tools: Map<number, SentTool>;
  finished: boolean;
}

type Choice = StreamEvent["choices"][number];

/** What of a delta is followed. Anything else that says something can't be matched, nor gone on with. */
export const FOLLOWED: ReadonlySet<string> = new Set([
  ...["role", "content", "refusal", "tool_calls"],
  ...["reasoning", "reasoning_content", "reasoning_details"],
]);

export function textOf(choice: Choice): string {
  const text = "delta" in choice ? deltaOf(choice).content : choice.text;
  return typeof text === "string" ? text : "";
}

export function deltaOf(choice: Choice): Readonly<JsonObject> {
  return "delta" in choice ? (choice.delta as Readonly<JsonObject>) : {};
}

/** Servers say it under either name, or under both. */
export function reasoningOf(delta: Readonly<JsonObject>): string {
  const text = delta.reasoning_content ?? delta.reasoning;
  return typeof text === "string" ? text : "";
}

/** What a caller has been sent of an answer: what a resumed one must match or go on from. */
export class Transcript {
  readonly choices = new Map<number, SentChoice>();
  /** Something was sent that can't be matched, such as sound. */
  opaque = false;

  add(event: StreamEvent): void {
    for (const choice of event.choices) {
      let sent = this.choices.get(choice.index);
      if (sent === undefined) {
        sent = { text: "", reasoning: "", refusal: "", tools: new Map(), finished: false };
        this.choices.set(choice.index, sent);
      }
      sent.text += textOf(choice);
      if ("delta" in choice) this.#addDelta(sent, deltaOf(choice));
      if (typeof choice.finish_reason === "string") sent.finished = true;
    }
  }

  /** Choices that have begun and not ended. */
  get open(): number[] {
    return [...this.choices].filter(([, sent]) => !sent.finished).map(([index]) => index);
  }

  /** Whether all that began has ended, and something has. */
  get complete(): boolean {
    if (this.choices.size === 0) return false;
    for (const sent of this.choices.values()) if (!sent.finished) return false;
    return true;
  }

  /** Whether nothing was said yet. */
  get silent(): boolean {
    for (const { text, reasoning, refusal, tools } of this.choices.values()) {
      if (text !== "" || reasoning !== "" || refusal !== "" || tools.size > 0) return false;
    }
    return !this.opaque;
  }

  get hasTools(): boolean {
    for (const sent of this.choices.values()) if (sent.tools.size > 0) return true;
    return false;
  }

  #addDelta(sent: SentChoice, delta: Readonly<JsonObject>): void {
    sent.reasoning += reasoningOf(delta);
    for (const name in delta) {
      if (!FOLLOWED.has(name) && says(delta[name])) this.opaque = true;
    }
    if (typeof delta.refusal === "string") sent.refusal += delta.refusal;
    for (const piece of toolPieces(delta)) {
      const tool = sent.tools.get(piece.index);
      if (tool === undefined) {
        const { name, named } = piece;
        sent.tools.set(piece.index, { name, arguments: piece.arguments, named });
      } else {
        tool.name += piece.name;
        tool.arguments += piece.arguments;
        tool.named ||= piece.named;
      }
    }
  }
}

export interface ToolPiece {
  readonly index: number;
  readonly name: string;
  readonly arguments: string;
  /** Where arguments are, even empty ones, the name is complete. */
  readonly named: boolean;
  /** The piece as it came. */
  readonly sent: Readonly<JsonObject>;
}

/** The pieces of tool calls in a delta. */
export function toolPieces(delta: Readonly<JsonObject>): ToolPiece[] {
  if (!Array.isArray(delta.tool_calls)) return [];
  return delta.tool_calls.map((sent: JsonObject, place) => {
    const part = (sent.function ?? {}) as JsonObject;
    return {
      index: typeof sent.index === "number" ? sent.index : place,
      name: typeof part.name === "string" ? part.name : "",
      arguments: typeof part.arguments === "string" ? part.arguments : "",
      named: typeof part.arguments === "string",
      sent,
    };
  });
}
