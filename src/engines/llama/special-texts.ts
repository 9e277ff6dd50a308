/** Characters for private use: each stands for a special text while a prompt is put together. */
export const SENTINELS = /[\u{100000}-\u{10FFFD}]/gu;

/** A beginning of special texts, and by their next character those that go on from it. */
export interface Beginning {
  readonly next: Map<string, Beginning>;
}

/** The texts of a model's special tokens, laid out once: what callers' texts are held against. */
export class SpecialTexts {
  /** Finds them whole, the longest first, and SENTINELS. */
  readonly pattern: RegExp;
  /** Characters of the longest one. */
  readonly longest: number;
  /** Every part that one of them ends with, but for the whole. */
  readonly ends: ReadonlySet<string>;
  /** Every part that some begin with and go on from. */
  readonly #beginnings = new Map<string, Beginning>();

  constructor(texts: readonly string[]) {
    const specials = texts.filter((text) => text !== "").sort((a, b) => b.length - a.length);
    this.longest = specials[0]?.length ?? 0;
    this.pattern = new RegExp(
      [...specials.map((text) => RegExp.escape(text)), SENTINELS.source].join("|"),
      "gu",
    );
    const ends = new Set<string>();
    for (const text of specials) {
      this.#lay(text);
      for (let at = 1; at < text.length; at++) ends.add(text.slice(at));
    }
    this.ends = ends;
  }

  /** Null where none begins so and goes on. */
  beginning(text: string): Beginning | null {
    return this.#beginnings.get(text) ?? null;
  }

  #lay(text: string): void {
    let place: Beginning | null = null;
    for (let at = 1; at < text.length; at++) {
      const begun = text.slice(0, at);
      let next = this.#beginnings.get(begun);
      if (next === undefined) {
        next = { next: new Map() };
        this.#beginnings.set(begun, next);
        place?.next.set(text.charAt(at - 1), next);
      }
      place = next;
    }
    // What nothing goes on from needs no name.
    const last = text.charAt(text.length - 1);
    if (place !== null && !place.next.has(last)) place.next.set(last, { next: new Map() });
  }
}
