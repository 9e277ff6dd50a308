import { says } from "../../lib/says.ts";
import type { JsonObject, StreamEvent } from "../../types.ts";
import { deltaOf, textOf } from "./transcript.ts";

type Choice = StreamEvent["choices"][number];

/** Joins a second source's events to those that were sent: takes events, gives what is new in them. */
export interface Seam {
  /** Null when nothing in it is new. @throws Mismatch */
  take(event: StreamEvent): StreamEvent | null;
  /** Whether everything that was sent has been passed. */
  readonly passed: boolean;
}

/**
 * For a target that goes on after the text that was sent. It was given the text without the white
 * space at its end, which tokenizers join to the next word: when that comes again, it is left out.
 * A role was sent, and reasoning is over.
 */
export class ContinueSeam implements Seam {
  #space: string;
  readonly passed = true;

  constructor(space: string) {
    this.#space = space;
  }

  take(event: StreamEvent): StreamEvent | null {
    const choices = event.choices
      .map((choice) => this.#choice(choice))
      .filter((choice) => choice !== null);
    if (choices.length === 0 && event.usage === undefined) return null;
    return { ...event, choices } as StreamEvent;
  }

  #choice(choice: Choice): Choice | null {
    const sent = textOf(choice);
    const text = this.#withoutSpace(sent);
    const ends = typeof choice.finish_reason === "string";
    if (!("delta" in choice)) return text === "" && !ends ? null : ({ ...choice, text } as Choice);
    const {
      role: _role,
      content: _content,
      reasoning: _reasoning,
      reasoning_content: _reasoningContent,
      reasoning_details: _details,
      ...others
    } = deltaOf(choice);
    const delta: JsonObject = text === "" ? others : { content: text, ...others };
    return Object.values(delta).some(says) || ends ? ({ ...choice, delta } as Choice) : null;
  }

  #withoutSpace(text: string): string {
    let at = 0;
    while (at < text.length && this.#space !== "" && text[at] === this.#space[0]) {
      this.#space = this.#space.slice(1);
      at += 1;
    }
    if (at < text.length) this.#space = "";
    return text.slice(at);
  }
}
