/**
 * Cuts a byte stream of UTF-8 into lines. LF, CRLF and CR end one; a byte-order mark at the start is
 * skipped. The lines do not depend on how the bytes were cut, and the work grows with the number of
 * bytes only, however long a line is.
 */
export class LineCutter {
  readonly #decoder = new TextDecoder("utf-8");
  readonly #maxLength: number;
  /** A line that has not ended: its pieces, joined once it has. */
  #pieces: string[] = [];
  #length = 0;
  /** The last chunk ended in CR: an LF at the start of the next belongs to it. */
  #skipLf = false;

  /** `maxLength`: characters a line may have before `push` throws a RangeError. */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** Calls `each` with the lines that these bytes complete. */
  push(bytes: Uint8Array, each: (line: string) => void): void {
    let text = this.#decoder.decode(bytes, { stream: true });
    if (text.length === 0) return;
    if (this.#skipLf && text.charCodeAt(0) === 10) text = text.slice(1);
    this.#skipLf = false;
    const hasCr = text.includes("\r");
    let start = 0;
    for (;;) {
      const end = hasCr ? nextLineEnd(text, start) : text.indexOf("\n", start);
      if (end === -1) break;
      each(this.#complete(text.slice(start, end)));
      start = end + 1;
      if (hasCr && text.charCodeAt(end) === 13) {
        if (start === text.length) this.#skipLf = true;
        else if (text.charCodeAt(start) === 10) start += 1;
      }
    }
    if (start === text.length) return;
    this.#hold(start === 0 ? text : text.slice(start));
  }

  /** What was left without an end of line; null when nothing was. */
  end(): string | null {
    const rest = this.#complete(this.#decoder.decode());
    return rest === "" ? null : rest;
  }

  #hold(piece: string): void {
    this.#length += piece.length;
    if (this.#length > this.#maxLength) {
      this.#pieces = [];
      throw new RangeError(`A line is longer than ${this.#maxLength} characters.`);
    }
    this.#pieces.push(piece);
  }

  #complete(last: string): string {
    if (this.#length === 0) return last;
    this.#hold(last);
    const line = this.#pieces.join("");
    this.#pieces = [];
    this.#length = 0;
    return line;
  }
}

function nextLineEnd(text: string, from: number): number {
  const lf = text.indexOf("\n", from);
  const cr = text.indexOf("\r", from);
  if (lf === -1) return cr;
  return cr === -1 ? lf : Math.min(lf, cr);
}
