import { StopMatcher, type StopResult } from "../../lib/stop-matcher.ts";
import { TokenText } from "../../lib/token-text.ts";
import { unsealed } from "../sealed.ts";

/** The text of an answer as its tokens come: whole characters, and nothing of a stop string. */
export class AnswerText {
  readonly #characters = new TokenText();
  readonly #stops: StopMatcher;

  /** UTF-16 units of the beginning that are held back as if they had not been shown. */
  #shown: number;

  /**
   * `begun` is what was sent of the answer: a stop string that it ends inside of ends the answer too.
   * What a caller wrote is no part of the answer, and is not looked at. With `included` the stop
   * string is part of the answer.
   */
  constructor(stops: readonly string[], begun = "", included = false) {
    this.#stops = new StopMatcher(stops, included);
    const inside = beginningOfStop(begun, stops);
    this.#stops.push(inside);
    this.#shown = inside.length;
  }

  /** `ends` false: no stop string that these complete ends the answer yet. `sealed`: they are a mark's. */
  push(bytes: Uint8Array, ends = true, sealed = false): StopResult {
    this.#stops.ends = ends;
    const text = this.#characters.push(bytes);
    const { emit, stopped } = this.#stops.push(sealed ? text : unsealed(text));
    return { emit: this.#unseen(emit), stopped };
  }

  /** What was held back, when the answer ends without a stop string. Half a character is dropped. */
  end(): string {
    return this.#unseen(this.#stops.flush());
  }

  #unseen(text: string): string {
    const shown = Math.min(this.#shown, text.length);
    this.#shown -= shown;
    return text.slice(shown);
  }
}

/** The longest end of a text that is the beginning of a stop string, and holds no whole one. */
function beginningOfStop(text: string, stops: readonly string[]): string {
  const longest = Math.max(0, ...stops.map((stop) => stop.length - 1));
  for (let size = Math.min(longest, text.length); size > 0; size--) {
    const end = text.slice(-size);
    const begins = stops.some((stop) => stop.length > size && stop.startsWith(end));
    if (begins && !stops.some((stop) => stop !== "" && end.includes(stop))) return end;
  }
  return "";
}
