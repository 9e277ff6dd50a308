import { StopMatcher, type StopResult } from "../../lib/stop-matcher.ts";
import { TokenText } from "../../lib/token-text.ts";

/** The text of an answer as its tokens come: whole characters, and nothing of a stop string. */
export class AnswerText {
  readonly #characters = new TokenText();
  readonly #stops: StopMatcher;

  constructor(stops: Iterable<string>) {
    this.#stops = new StopMatcher(stops);
  }

  push(bytes: Uint8Array): StopResult {
    return this.#stops.push(this.#characters.push(bytes));
  }

  /** What was held back, when the answer ends without a stop string. Half a character is dropped. */
  end(): string {
    return this.#stops.flush();
  }
}
