/**
 * Cuts a byte stream into the `data` of server-sent events, as the HTML standard's "Interpreting an
 * event stream" says: LF, CRLF and CR end a line, lines that start with a colon are comments,
 * several `data` lines are joined by LF, a byte-order mark at the start is skipped. The events do
 * not depend on how the bytes were cut. `event`, `id` and `retry` are ignored.
 */
export class SseParser {
  readonly #decoder = new TextDecoder("utf-8");
  readonly #maxEventLength: number;
  #buffer = "";
  #data: string | null = null;
  /** The last chunk ended in CR: an LF at the start of the next belongs to it. */
  #skipLf = false;

  /** `maxEventLength`: characters one event may have before `push` throws a RangeError. */
  constructor(maxEventLength = 8 * 1024 * 1024) {
    this.#maxEventLength = maxEventLength;
  }

  /** The events that these bytes complete. */
  push(bytes: Uint8Array): string[] {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (this.#skipLf && text.length > 0) {
      if (text.charCodeAt(0) === 10) text = text.slice(1);
      this.#skipLf = false;
    }
    this.#buffer = this.#buffer === "" ? text : this.#buffer + text;
    const events: string[] = [];
    const buffer = this.#buffer;
    const hasCr = buffer.includes("\r");
    let start = 0;
    for (;;) {
      const end = hasCr ? nextLineEnd(buffer, start) : buffer.indexOf("\n", start);
      if (end === -1) break;
      this.#line(buffer.slice(start, end), events);
      start = end + 1;
      if (hasCr && buffer.charCodeAt(end) === 13) {
        if (start === buffer.length) this.#skipLf = true;
        else if (buffer.charCodeAt(start) === 10) start += 1;
      }
    }
    this.#buffer = start === 0 ? buffer : buffer.slice(start);
    if (this.#buffer.length + (this.#data?.length ?? 0) > this.#maxEventLength) {
      throw new RangeError(`An event is longer than ${this.#maxEventLength} characters.`);
    }
    return events;
  }

  /** What an upstream that closed without a final blank line had left. */
  end(): string[] {
    const events: string[] = [];
    const rest = this.#buffer + this.#decoder.decode();
    this.#buffer = "";
    if (rest !== "") this.#line(rest, events);
    this.#line("", events);
    return events;
  }

  #line(line: string, events: string[]): void {
    if (line === "") {
      if (this.#data !== null) events.push(this.#data);
      this.#data = null;
      return;
    }
    if (!line.startsWith("data")) return;
    const colon = line.charCodeAt(4);
    if (colon !== 58 && line.length !== 4) return;
    const value = line.slice(line.charCodeAt(5) === 32 ? 6 : 5);
    this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
  }
}

function nextLineEnd(text: string, from: number): number {
  const lf = text.indexOf("\n", from);
  const cr = text.indexOf("\r", from);
  if (lf === -1) return cr;
  return cr === -1 ? lf : Math.min(lf, cr);
}
