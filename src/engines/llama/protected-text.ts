import { JoinedTexts } from "./joined-texts.ts";
import { SENTINELS, type SpecialTexts } from "./special-texts.ts";

/** A piece of a prompt. In a `literal` one, text that looks like a special token is only text. */
export interface PromptPiece {
  readonly text: string;
  readonly literal: boolean;
}

const FIRST_SENTINEL = 0x100000;
const SENTINEL_COUNT = 0x10fffd - FIRST_SENTINEL + 1;

const NONE: ReadonlySet<string> = new Set();

/**
 * Carries callers' text through a chat template so that it cannot pass for the template's own: each
 * control token's text in it is swapped for one private-use character, and put back as literal text
 * after rendering. Characters of that private-use plane in the caller's text are swapped too, so
 * none can be forged. Where two of the texts that were met would make a control token's text together,
 * the first one's part of it is swapped.
 */
export class ProtectedText {
  readonly #pattern: RegExp;
  readonly #texts: string[] = [];
  readonly #sentinelOf = new Map<string, string>();
  readonly #joined: JoinedTexts;

  constructor(specials: SpecialTexts) {
    this.#pattern = specials.pattern;
    this.#joined = new JoinedTexts(specials);
  }

  /** Callers' texts, keys of a JSON value included: all that will be protected, before the first one is. */
  meet(value: unknown): void {
    if (typeof value === "string") {
      for (const part of value.split(this.#pattern)) this.#joined.add(part);
    } else if (value !== null && typeof value === "object") {
      if (!Array.isArray(value)) this.meet(Object.keys(value));
      for (const each of Object.values(value)) this.meet(each);
    }
  }

  /** Texts that are `kept` stay the control texts they are. */
  protect(text: string, kept = NONE): string {
    let safe = "";
    let from = 0;
    for (const { 0: found, index } of text.matchAll(this.#pattern)) {
      const before = text.slice(from, index);
      safe += kept.has(found) ? this.#endSafe(before) + found : before + this.#sentinel(found);
      from = index + found.length;
    }
    return safe + this.#endSafe(text.slice(from));
  }

  /** A template may trim it, or take out what follows. */
  #endSafe(text: string): string {
    const trimmed = text.trimEnd();
    for (const [body, space] of [
      [text, ""],
      [trimmed, text.slice(trimmed.length)],
    ] as const) {
      const open = this.#joined.openEnd(body);
      if (open !== "") return body.slice(0, -open.length) + this.#sentinel(open) + space;
    }
    return text;
  }

  /** Protects every string inside a JSON value, keys included. */
  protectAny(value: unknown, kept = NONE): unknown {
    if (typeof value === "string") return this.protect(value, kept);
    if (Array.isArray(value)) return value.map((item) => this.protectAny(item, kept));
    if (value !== null && typeof value === "object") return this.protectFields({ ...value }, kept);
    return value;
  }

  protectFields(
    fields: { readonly [name: string]: unknown },
    kept = NONE,
  ): { [name: string]: unknown } {
    return Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [
        this.protect(name),
        this.protectAny(value, kept),
      ]),
    );
  }

  /** Cuts rendered text at the sentinels and puts their texts back, as literal pieces. */
  split(rendered: string): PromptPiece[] {
    const pieces: PromptPiece[] = [];
    const add = (text: string, literal: boolean) => {
      if (text !== "") pieces.push({ text, literal });
    };
    let from = 0;
    for (const match of rendered.matchAll(SENTINELS)) {
      add(rendered.slice(from, match.index), false);
      const index = (match[0].codePointAt(0) ?? 0) - FIRST_SENTINEL;
      add(this.#texts[index] ?? match[0], true);
      from = match.index + match[0].length;
    }
    add(rendered.slice(from), false);
    return pieces;
  }

  #sentinel(text: string): string {
    const known = this.#sentinelOf.get(text);
    if (known !== undefined) return known;
    // Only a caller who sends over 65,000 different private-use characters gets here.
    if (this.#texts.length >= SENTINEL_COUNT) return "\u{FFFD}";
    const sentinel = String.fromCodePoint(FIRST_SENTINEL + this.#texts.length);
    this.#texts.push(text);
    this.#sentinelOf.set(text, sentinel);
    return sentinel;
  }
}
