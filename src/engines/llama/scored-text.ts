import { TokenText } from "../../lib/token-text.ts";
import type { ScoredToken } from "../protocol.ts";

/** The longest part of a character that lacks more of it, in bytes. */
const LONGEST_PART = 3;

/** A token's score, and where its text is in the answer's: UTF-16 units, half a character's are one. */
interface Waiting {
  readonly score: ScoredToken;
  readonly start: number;
  readonly end: number;
}

/**
 * Keeps tokens' scores until their text goes out, so that a piece of an answer carries the scores of
 * the tokens it is made of: text that may become a stop string is held back, and its tokens with it.
 * Those of a stop string itself are never told.
 */
export class ScoredText {
  /** As the answer's text is made: what is no character is U+FFFD in both. */
  readonly #characters = new TokenText();
  #lastBytes: Uint8Array = new Uint8Array();
  #made = 0;
  #shown = 0;
  #waiting: Waiting[] = [];

  /** A token was sampled that adds these bytes. */
  add(score: ScoredToken, bytes: Uint8Array): void {
    // What began a character stands for one, unless this goes on with it.
    const open = endsInPart(this.#lastBytes) && !isContinuation(bytes[0]);
    const start = this.#made + (open ? 1 : 0);
    this.#made += this.#characters.push(bytes).length;
    this.#lastBytes = Buffer.concat([this.#lastBytes, bytes]).subarray(-LONGEST_PART);
    const part = bytes.length > 0 && endsInPart(this.#lastBytes) ? 1 : 0;
    this.#waiting.push({ score, start, end: this.#made + part });
  }

  /** The scores of all tokens whose text is out now that `text` is. */
  shown(text: string): ScoredToken[] {
    this.#shown += text.length;
    const first = this.#waiting.findIndex(({ end }) => end > this.#shown);
    return this.#take(first === -1 ? this.#waiting.length : first);
  }

  /** The answer has ended: also those of tokens that only a part of was shown, or half a character. */
  ended(stopped: boolean): ScoredToken[] {
    if (!stopped) return this.#take(this.#waiting.length);
    const parts = this.#waiting.filter(({ start }) => start < this.#shown);
    return this.#take(parts.length);
  }

  #take(count: number): ScoredToken[] {
    return this.#waiting.splice(0, count).map(({ score }) => score);
  }
}

/** Whether the last of these bytes are the beginning of a character. */
function endsInPart(bytes: Uint8Array): boolean {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  decoder.decode(bytes, { stream: true });
  return decoder.decode() !== "";
}

function isContinuation(byte = 0): boolean {
  return (byte & 0xc0) === 0x80;
}
