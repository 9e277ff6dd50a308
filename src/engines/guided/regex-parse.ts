import type { CharDfa } from "./char-dfa.ts";
import {
  type CharRanges,
  char,
  complement,
  DIGIT,
  DOT,
  rangesOf,
  SPACE,
  WORD,
} from "./char-ranges.ts";
import { SpecError } from "./spec-error.ts";

/** A regular expression as a tree. */
export type RegexNode =
  | { readonly kind: "set"; readonly set: CharRanges }
  | { readonly kind: "all"; readonly parts: readonly RegexNode[] }
  | { readonly kind: "either"; readonly parts: readonly RegexNode[] }
  | {
      readonly kind: "repeat";
      readonly part: RegexNode;
      readonly least: number;
      readonly most: number;
    }
  | { readonly kind: "start" }
  | { readonly kind: "end" }
  /** What follows, to the end of the text, must begin with this, or must not. */
  | { readonly kind: "ahead"; readonly part: RegexNode; readonly not: boolean }
  /** What was made of a part already. */
  | { readonly kind: "automaton"; readonly dfa: CharDfa };

const MOST_LENGTH = 10_000;
const MOST_NESTED = 60;
const MOST_REPEATS = 10_000;
const CLASSES: ReadonlyMap<string, CharRanges> = new Map([
  ["d", DIGIT],
  ["D", complement(DIGIT)],
  ["s", SPACE],
  ["S", complement(SPACE)],
  ["w", WORD],
  ["W", complement(WORD)],
]);
const BRACES = /^\{(\d+)(?:(,)(\d+)?)?\}$/;
const CONTROLS: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, 0: 0 };

/**
 * Reads a regular expression of JavaScript: as with the flag `u` a character is a code point, and as without it
 * `]`, `}` and a `{` that begins no count are characters (ECMAScript, Annex B). Greedy and lazy are the same, since it only matters whether the whole matches. What no finite automaton can
 * say (references), looking behind, word boundaries, `\p` and flags are refused.
 * @throws SpecError
 */
export function parseRegex(source: string): RegexNode {
  if (source.length > MOST_LENGTH)
    throw new SpecError(`The regular expression is longer than ${MOST_LENGTH} characters.`);
  return new Parser(source).whole();
}

class Parser {
  readonly #chars: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#chars = [...source];
  }

  whole(): RegexNode {
    const node = this.#either();
    if (this.#at < this.#chars.length) throw this.#wrong("there is a ) too many");
    return node;
  }

  #either(): RegexNode {
    this.#depth += 1;
    if (this.#depth > MOST_NESTED) throw this.#wrong(`groups nest more than ${MOST_NESTED} deep`);
    const first = this.#sequence();
    const parts = [first];
    while (this.#took("|")) parts.push(this.#sequence());
    this.#depth -= 1;
    return parts.length === 1 ? first : { kind: "either", parts };
  }

  #sequence(): RegexNode {
    const parts: RegexNode[] = [];
    for (;;) {
      const next = this.#chars[this.#at];
      if (next === undefined || next === "|" || next === ")") return { kind: "all", parts };
      parts.push(this.#repeated(this.#atom()));
    }
  }

  #repeated(part: RegexNode): RegexNode {
    const counts = this.#counts();
    if (counts === null) return part;
    if (part.kind === "start" || part.kind === "end" || part.kind === "ahead")
      throw this.#wrong("a quantifier stands after an anchor or a look ahead");
    this.#took("?");
    if (this.#counts() !== null) throw this.#wrong("a quantifier stands after a quantifier");
    return { kind: "repeat", part, ...counts };
  }

  #counts(): { least: number; most: number } | null {
    if (this.#took("*")) return { least: 0, most: Number.POSITIVE_INFINITY };
    if (this.#took("+")) return { least: 1, most: Number.POSITIVE_INFINITY };
    if (this.#took("?")) return { least: 0, most: 1 };
    const braces = this.#bracedCounts();
    if (braces === null) return null;
    const least = Number(braces[1]);
    const open = braces[2] === undefined ? least : Number.POSITIVE_INFINITY;
    const most = braces[3] === undefined ? open : Number(braces[3]);
    if (most < least) throw this.#wrong("the second count is smaller than the first");
    if (least > MOST_REPEATS || (Number.isFinite(most) && most > MOST_REPEATS))
      throw this.#wrong(`a count is over ${MOST_REPEATS}`);
    this.#at += braces[0].length;
    return { least, most };
  }

  /** `{2}`, `{2,}` or `{2,3}`; any other brace is a character. */
  #bracedCounts(): RegExpExecArray | null {
    if (this.#chars[this.#at] !== "{") return null;
    let end = this.#at + 1;
    while (/^[\d,]$/.test(this.#chars[end] ?? "")) end += 1;
    return BRACES.exec(this.#chars.slice(this.#at, end + 1).join(""));
  }

  #atom(): RegexNode {
    if (this.#bracedCounts() !== null)
      throw this.#wrong("there is nothing in front of { to repeat");
    const next = this.#next();
    if (next === "(") return this.#group();
    if (next === "[") return { kind: "set", set: this.#class() };
    if (next === ".") return { kind: "set", set: DOT };
    if (next === "^") return { kind: "start" };
    if (next === "$") return { kind: "end" };
    if (next === "\\") return { kind: "set", set: this.#escape() };
    if ("*+?".includes(next))
      throw this.#wrong(`${next} stands for itself only behind a backslash`);
    return { kind: "set", set: char(point(next)) };
  }

  #group(): RegexNode {
    const special = this.#took("?");
    const is = special && this.#took("=");
    const not = special && !is && this.#took("!");
    if (special && !is && !not && !this.#took(":") && !this.#name())
      throw this.#wrong("looking behind, and flags, can't be enforced");
    const node = this.#either();
    if (!this.#took(")")) throw this.#wrong("a group is not closed");
    return is || not ? { kind: "ahead", part: node, not } : node;
  }

  /** `?<name>`, or Python's `?P<name>`. */
  #name(): boolean {
    const found = /^P?<[A-Za-z_]\w*>/.exec(this.#chars.slice(this.#at, this.#at + 80).join(""));
    this.#at += found?.[0].length ?? 0;
    return found !== null;
  }

  /** After a backslash: a class such as `\d`, or one character. */
  #escape(): CharRanges {
    const next = this.#next();
    const named = CLASSES.get(next);
    if (named !== undefined) return named;
    const control = CONTROLS[next];
    if (control !== undefined) return char(control);
    if (next === "x") return char(this.#hex(2));
    if (next === "u") return char(this.#took("{") ? this.#braced() : this.#unit());
    if (/[1-9k]/.test(next)) throw this.#wrong("a reference to a group can't be enforced");
    if (/[0-9A-Za-z]/.test(next)) throw this.#wrong(`\\${next} can't be enforced`);
    return char(point(next));
  }

  #class(): CharRanges {
    const negated = this.#took("^");
    const ranges: [number, number][] = [];
    while (!this.#took("]")) {
      const from = this.#classItem();
      const isRange = this.#chars[this.#at] === "-" && !this.#isDash(from);
      if (!isRange) {
        for (const [low, high] of from) ranges.push([low, high]);
        continue;
      }
      this.#at += 1;
      const to = this.#classItem();
      const [low, high] = [single(from), single(to)];
      if (low === null || high === null || low > high) throw this.#wrong("a range has no order");
      ranges.push([low, high]);
    }
    const set = rangesOf(ranges);
    return negated ? complement(set) : set;
  }

  /** A `-` beside the end or a class such as `\d` is one, as without the flag `u`. */
  #isDash(before: CharRanges): boolean {
    const [next, name] = this.#chars.slice(this.#at + 1, this.#at + 3);
    if (next === "]" || single(before) === null) return true;
    return next === "\\" && name !== undefined && CLASSES.has(name);
  }

  #classItem(): CharRanges {
    const next = this.#next();
    if (next !== "\\") return char(point(next));
    if (this.#took("b")) return char(8);
    return this.#took("-") ? char(45) : this.#escape();
  }

  /** Four hex digits; with the flag `u` two surrogates in a row are one character. */
  #unit(): number {
    const high = this.#hex(4);
    const rest = this.#chars.slice(this.#at, this.#at + 6).join("");
    const low = /^\\u(d[c-f][0-9a-f]{2})$/i.exec(rest);
    if (high < 0xd800 || high > 0xdbff || low === null) return high;
    this.#at += 6;
    return point(String.fromCharCode(high, Number.parseInt(low[1] ?? "", 16)));
  }

  #hex(digits: number): number {
    const text = this.#chars.slice(this.#at, this.#at + digits).join("");
    if (text.length !== digits || !/^[0-9a-f]+$/i.test(text))
      throw this.#wrong("expected hex digits");
    this.#at += digits;
    return Number.parseInt(text, 16);
  }

  #braced(): number {
    const found = /^([0-9a-f]{1,6})\}/i.exec(this.#chars.slice(this.#at, this.#at + 7).join(""));
    const code = Number.parseInt(found?.[1] ?? "", 16);
    if (found === null || code > 0x10ffff) throw this.#wrong("expected hex digits");
    this.#at += found[0].length;
    return code;
  }

  #next(): string {
    const next = this.#chars[this.#at];
    if (next === undefined) throw this.#wrong("it ends too early");
    this.#at += 1;
    return next;
  }

  #took(text: string): boolean {
    if (this.#chars[this.#at] !== text) return false;
    this.#at += 1;
    return true;
  }

  #wrong(reason: string): SpecError {
    return new SpecError(`The regular expression can't be used: ${reason} (at ${this.#at}).`);
  }
}

function point(text: string): number {
  return text.codePointAt(0) ?? 0;
}

function single(set: CharRanges): number | null {
  const [range] = set;
  return set.length === 1 && range !== undefined && range[0] === range[1] ? range[0] : null;
}
