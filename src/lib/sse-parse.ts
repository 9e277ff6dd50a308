import { LineCutter } from "./line-cutter.ts";

/**
 * Cuts a byte stream into the `data` of server-sent events, as the HTML standard's "Interpreting an
 * event stream" says: LF, CRLF and CR end a line, lines that start with a colon are comments,
 * several `data` lines are joined by LF, a byte-order mark at the start is skipped. The events do
 * not depend on how the bytes were cut. `id` and `retry` are ignored.
 *
 * An event named `error`, and a line of a field `error` (llama.cpp's), is a failure: it and what
 * follows it are no events, and `failure` holds its text.
 */
export class SseParser {
  readonly #lines: LineCutter;
  readonly #maxEventLength: number;
  readonly #each = (line: string): void => this.#line(line);
  #events: string[] = [];
  #data: string | null = null;
  #named = false;
  #failure: string | null = null;

  /** `maxEventLength`: characters one event may have before `push` throws a RangeError. */
  constructor(maxEventLength = 8 * 1024 * 1024) {
    this.#lines = new LineCutter(maxEventLength);
    this.#maxEventLength = maxEventLength;
  }

  /** The text of the failure that was told after the events given so far; null without one. */
  get failure(): string | null {
    return this.#failure;
  }

  /** The events that these bytes complete. */
  push(bytes: Uint8Array): string[] {
    if (this.#failure !== null) return [];
    this.#events = [];
    this.#lines.push(bytes, this.#each);
    return this.#events;
  }

  /** What an upstream that closed without a final blank line had left. */
  end(): string[] {
    this.#events = [];
    const rest = this.#lines.end();
    if (rest !== null) this.#line(rest);
    this.#line("");
    return this.#events;
  }

  #line(line: string): void {
    if (this.#failure !== null) return;
    if (line === "") {
      if (this.#data !== null) {
        if (this.#named) this.#failure = this.#data;
        else this.#events.push(this.#data);
      }
      this.#data = null;
      this.#named = false;
      return;
    }
    if (line.startsWith("data")) {
      const value = fieldValue(line, 4);
      if (value === null) return;
      this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
      if (this.#data.length > this.#maxEventLength) {
        throw new RangeError(`An event is longer than ${this.#maxEventLength} characters.`);
      }
    } else if (line.startsWith("event")) {
      this.#named = fieldValue(line, 5)?.trim() === "error";
    } else if (line.startsWith("error")) {
      this.#failure = fieldValue(line, 5);
    }
  }
}

/** What follows a field's name of so many characters; null when the name goes on. */
function fieldValue(line: string, length: number): string | null {
  if (line.length === length) return "";
  if (line.charCodeAt(length) !== 58) return null;
  return line.slice(line.charCodeAt(length + 1) === 32 ? length + 2 : length + 1);
}
