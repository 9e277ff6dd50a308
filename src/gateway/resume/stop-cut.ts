import { says } from "../../lib/says.ts";
import { StopMatcher } from "../../lib/stop-matcher.ts";
import type { StreamEvent } from "../../types.ts";
import { deltaOf, textOf } from "./transcript.ts";

/**
 * Looks for stop strings in a stream of one answer, so that none is missed where the texts of two
 * targets are joined, or by a target that does not know them. Text that may be the beginning of one
 * waits; with a whole one the answer ends, and nothing after it counts.
 */
export class StopCut {
  readonly #matcher: StopMatcher;
  #stopped = false;

  constructor(stops: readonly string[]) {
    this.#matcher = new StopMatcher(stops);
  }

  /** A stop string has ended the answer. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** The event without text that must wait or not be shown; null when nothing of it is left. */
  cut(event: StreamEvent): StreamEvent | null {
    const [choice] = event.choices;
    if (choice === undefined) return event;
    const text = textOf(choice);
    const ends = typeof choice.finish_reason === "string";
    const { emit, stopped } = this.#matcher.push(text);
    this.#stopped = stopped;
    const shown = ends && !stopped ? emit + this.#matcher.flush() : emit;
    if (shown === text && !stopped) return event;
    const finish_reason = stopped ? "stop" : choice.finish_reason;
    if (!("delta" in choice)) {
      if (shown === "" && finish_reason === null) return null;
      return { ...event, choices: [{ ...choice, text: shown, finish_reason }] } as StreamEvent;
    }
    const { content: _content, ...others } = deltaOf(choice);
    const delta = shown === "" ? others : { ...others, content: shown };
    if (!Object.values(delta).some(says) && finish_reason === null) return null;
    return { ...event, choices: [{ ...choice, delta, finish_reason }] } as StreamEvent;
  }
}
