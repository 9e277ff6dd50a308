const SPACE = /\s/;

/**
 * Finds the end of one JSON value in text that comes in pieces. It does not check the value: what
 * made it does.
 */
export class JsonScan {
  #depth = 0;
  #inText = false;
  #escaped = false;
  /** A number or a word, which only what follows it ends. */
  #scalar = false;
  done = false;

  /**
   * Reads on; returns where the value ends in this piece, or the piece's length while it goes on.
   * The value begins with the first character.
   */
  push(text: string, from = 0): number {
    for (let at = from; at < text.length; at++) {
      const char = text.charAt(at);
      if (this.#inText) this.#within(char);
      else if (char === '"' && !this.#scalar) this.#inText = true;
      else if (char === "{" || char === "[") this.#depth++;
      else if ((char === "}" || char === "]") && this.#depth > 0) this.#depth--;
      else if (this.#depth === 0) {
        if (SPACE.test(char) || ",}]".includes(char)) {
          this.done = true;
          return at;
        }
        this.#scalar = true;
      }
      if (this.#depth > 0 || this.#inText || this.#scalar) continue;
      this.done = true;
      return at + 1;
    }
    return text.length;
  }

  #within(char: string): void {
    if (this.#escaped) this.#escaped = false;
    else if (char === "\\") this.#escaped = true;
    else if (char === '"') this.#inText = false;
  }
}
