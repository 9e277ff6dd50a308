import { Cover } from "../../lib/pattern/cover.ts";
import { KEY_PATTERNS } from "../../lib/redact.ts";

/** `name@host.tld`, in Latin, Greek or Cyrillic letters. */
const LETTERS = "\\w\\u00c0-\\u024f\\u0370-\\u052f";
const EMAIL = `[${LETTERS}.!#$%&'*+/=?^\`{|}~-]+@[${LETTERS}-]+(?:\\.[${LETTERS}-]+)+`;
/** A shorter secret would be found in any text. */
const SHORTEST_SECRET = 8;

interface Found {
  from: number;
  to: number;
  label: string;
}

/** What must not be kept, and what stands in its place. */
export class Redactor {
  readonly #secrets: readonly string[];
  readonly #rules: readonly (readonly [label: string, cover: Cover])[];

  /**
   * @param patterns the user's own, in the syntax of `lib/pattern`
   * @param secrets texts that are looked for as they are: the keys this process knows
   * @throws PatternError
   */
  constructor(patterns: readonly string[], secrets: readonly string[]) {
    this.#secrets = secrets.filter((secret) => secret.length >= SHORTEST_SECRET);
    const rules: (readonly [string, Cover])[] = [
      ["[key]", new Cover(KEY_PATTERNS)],
      ["[email]", new Cover([EMAIL])],
    ];
    if (patterns.length > 0) rules.push(["[redacted]", new Cover(patterns)]);
    this.#rules = rules;
  }

  /**
   * Every rule looks at the text as it came: one that had been changed by another rule would hide
   * from the next. What touches is replaced together.
   * @throws PatternError when nothing is known of the text: it must not be kept
   */
  redact(text: string): string {
    const found = this.#find(text);
    if (found.length === 0) return text;
    let result = "";
    let at = 0;
    for (const { from, to, label } of found) {
      result += text.slice(at, from) + label;
      at = to;
    }
    return result + text.slice(at);
  }

  /** Whether any rule finds something. @throws PatternError */
  finds(text: string): boolean {
    return this.#find(text).length > 0;
  }

  #find(text: string): Found[] {
    const all: Found[] = [];
    for (const secret of this.#secrets) {
      for (let at = text.indexOf(secret); at !== -1; at = text.indexOf(secret, at + 1)) {
        all.push({ from: at, to: at + secret.length, label: "[key]" });
      }
    }
    for (const [label, cover] of this.#rules) {
      for (const { from, to } of cover.find(text)) all.push({ from, to, label });
    }
    all.sort((a, b) => a.from - b.from);
    const joined: Found[] = [];
    for (const next of all) {
      const last = joined.at(-1);
      if (last !== undefined && next.from < last.to) last.to = Math.max(last.to, next.to);
      else joined.push({ ...next });
    }
    return joined;
  }
}
