/**
 * What callers' texts could become where a template puts two of them side by side, or takes out what
 * stood between them: neither has a special token's text in it, and both together have.
 */
export class JoinedTexts {
  readonly #longest: number;
  /** By each beginning of a special text, what is left of those that begin so. */
  readonly #rests = new Map<string, Set<string>>();
  readonly #ends = new Set<string>();
  /** What callers' texts begin with that is the end of a special text, and all of those that are short. */
  readonly #begun = new Set<string>();

  constructor(specials: readonly string[]) {
    this.#longest = specials.reduce((longest, { length }) => Math.max(longest, length), 0);
    for (const text of specials)
      for (let at = 1; at < text.length; at++) {
        const rests = this.#rests.get(text.slice(0, at));
        if (rests === undefined) this.#rests.set(text.slice(0, at), new Set([text.slice(at)]));
        else rests.add(text.slice(at));
        this.#ends.add(text.slice(at));
      }
  }

  /** One of the texts; a template may trim it. All are added before the first is asked about. */
  add(text: string): void {
    for (const each of new Set([text, text.trimStart()])) {
      for (let length = 1; length < this.#longest && length <= each.length; length++)
        if (this.#ends.has(each.slice(0, length))) this.#begun.add(each.slice(0, length));
      const whole = each.trimEnd();
      if (whole.length < this.#longest) this.#begun.add(whole);
    }
  }

  /** The beginning of a special text at the end of this one that others could complete; empty where there is none. */
  openEnd(text: string): string {
    for (let length = Math.min(this.#longest - 1, text.length); length > 0; length--) {
      const end = text.slice(-length);
      for (const rest of this.#rests.get(end) ?? []) if (this.#completes(rest)) return end;
    }
    return "";
  }

  /** By one text, or by one that is only the next of several pieces. */
  #completes(rest: string): boolean {
    for (let length = 1; length <= rest.length; length++)
      if (this.#begun.has(rest.slice(0, length))) return true;
    return false;
  }
}
