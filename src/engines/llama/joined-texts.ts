import type { Beginning, SpecialTexts } from "./special-texts.ts";

/** What callers' texts begin with, by its next character; `whole` where it may be all that is needed. */
interface Begun {
  readonly next: Map<string, Begun>;
  whole: boolean;
}

/**
 * What callers' texts could become where a template puts two of them side by side, or takes out what
 * stood between them: neither has a special token's text in it, and both together have.
 */
export class JoinedTexts {
  readonly #specials: SpecialTexts;
  /** What callers' texts begin with that is the end of a special text, and all of those that are short. */
  readonly #begun: Begun = { next: new Map(), whole: false };
  /** What was found of the beginnings of special texts that callers' texts end with. */
  readonly #completed = new Map<string, boolean>();
  #steps = 0;

  constructor(specials: SpecialTexts) {
    this.#specials = specials;
  }

  /**
   * Characters of special texts that were looked at so far. A beginning is looked through once, however
   * many of callers' texts end with it.
   */
  get steps(): number {
    return this.#steps;
  }

  /** One of the texts; a template may trim it. All are added before the first is asked about. */
  add(text: string): void {
    const { longest, ends } = this.#specials;
    for (const each of new Set([text, text.trimStart()])) {
      for (let length = 1; length < longest && length <= each.length; length++)
        if (ends.has(each.slice(0, length))) this.#begin(each.slice(0, length));
      const whole = each.trimEnd();
      if (whole.length < longest) this.#begin(whole);
    }
  }

  /** The beginning of a special text at the end of this one that others could complete; empty where there is none. */
  openEnd(text: string): string {
    for (let length = Math.min(this.#specials.longest - 1, text.length); length > 0; length--) {
      const end = text.slice(-length);
      const beginning = this.#specials.beginning(end);
      if (beginning !== null && this.#isCompleted(end, beginning)) return end;
    }
    return "";
  }

  #isCompleted(end: string, beginning: Beginning): boolean {
    let completed = this.#completed.get(end);
    if (completed === undefined) {
      completed = this.#completes(beginning, this.#begun);
      this.#completed.set(end, completed);
    }
    return completed;
  }

  /** By one text, or by one that is only the next of several pieces. */
  #completes(beginning: Beginning, begun: Begun): boolean {
    for (const [character, place] of beginning.next) {
      this.#steps += 1;
      const further = begun.next.get(character);
      if (further !== undefined && (further.whole || this.#completes(place, further))) return true;
    }
    return false;
  }

  #begin(text: string): void {
    let place = this.#begun;
    for (let at = 0; at < text.length; at++) {
      let next = place.next.get(text.charAt(at));
      if (next === undefined) {
        next = { next: new Map(), whole: false };
        place.next.set(text.charAt(at), next);
      }
      place = next;
    }
    if (text !== "") place.whole = true;
  }
}
