import { ANY, type CharSet, complement, DIGIT, SPACE, setOf, union, WORD } from "./char-set.ts";

/** A pattern as a tree. */
export type Node =
  | { readonly kind: "set"; readonly set: CharSet }
  | { readonly kind: "all"; readonly parts: readonly Node[] }
  | { readonly kind: "either"; readonly parts: readonly Node[] }
  | { readonly kind: "repeat"; readonly part: Node; readonly least: number; readonly most: number }
  | { readonly kind: "assert"; readonly what: Assertion };

/** `word` and `inside` are `\b` and `\B`; start and end are those of the text. */
export type Assertion = "start" | "end" | "word" | "inside";

/** Why a pattern can't be used: where, and what to write instead. */
export class PatternError extends Error {
  override readonly name = "PatternError";
}

/** The largest count in `{n,m}`. */
const MOST_REPEATS = 500;
const MOST_NESTED = 50;
const CLASSES: Readonly<Record<string, CharSet>> = {
  d: DIGIT,
  D: complement(DIGIT),
  s: SPACE,
  S: complement(SPACE),
  w: WORD,
  W: complement(WORD),
};
const CONTROLS: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", f: "\f", v: "\v" };
const ASSERTIONS: Readonly<Record<string, Assertion>> = { b: "word", B: "inside" };
const NOT_HERE = new Set(["+", "*", "?", "{", "}"]);

/**
 * Reads a regular expression in the syntax that RE2, Rust and JavaScript share: literals, `.`,
 * classes, groups, `|`, `* + ? {n,m}`, `\b ^ $`, and `(?i)` at its beginning. What can't be matched
 * in linear time (look-around, back references) and what means nothing here (lazy quantifiers) is refused.
 * @throws PatternError
 */
export function parsePattern(source: string): Node {
  const foldCase = source.startsWith("(?i)");
  const parser = new Parser(source, foldCase ? 4 : 0, foldCase);
  return parser.whole();
}

class Parser {
  readonly #source: string;
  readonly #foldCase: boolean;
  #at: number;
  #depth = 0;

  constructor(source: string, at: number, foldCase: boolean) {
    this.#source = source;
    this.#at = at;
    this.#foldCase = foldCase;
  }

  whole(): Node {
    const node = this.#either();
    if (this.#at < this.#source.length) throw this.#wrong("there is a ) too many");
    return node;
  }

  #either(): Node {
    const parts = [this.#sequence()];
    while (this.#took("|")) parts.push(this.#sequence());
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: "either", parts };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    for (;;) {
      const next = this.#source[this.#at];
      if (next === undefined || next === "|" || next === ")") return { kind: "all", parts };
      parts.push(this.#repeated(this.#atom()));
    }
  }

  #repeated(part: Node): Node {
    let node = part;
    for (;;) {
      const counts = this.#counts();
      if (counts === null) return node;
      if (this.#source[this.#at] === "?") {
        throw this.#wrong(
          'lazy quantifiers mean nothing here: say what may not follow, as in "[^"]*"',
        );
      }
      if (node.kind === "repeat" || node.kind === "assert") {
        throw this.#wrong("a quantifier stands after a quantifier or an assertion");
      }
      node = { kind: "repeat", part: node, ...counts };
    }
  }

  #counts(): { least: number; most: number } | null {
    if (this.#took("*")) return { least: 0, most: Number.POSITIVE_INFINITY };
    if (this.#took("+")) return { least: 1, most: Number.POSITIVE_INFINITY };
    if (this.#took("?")) return { least: 0, most: 1 };
    const braces = /^\{(\d{1,6})(?:(,)(\d{1,6})?)?\}/.exec(
      this.#source.slice(this.#at, this.#at + 20),
    );
    if (braces === null) return null;
    const least = Number(braces[1]);
    const open = braces[2] === undefined ? least : Number.POSITIVE_INFINITY;
    const most = braces[3] === undefined ? open : Number(braces[3]);
    if (most < least) throw this.#wrong("the second count is smaller than the first");
    if (least > MOST_REPEATS || (most > MOST_REPEATS && Number.isFinite(most))) {
      throw this.#wrong(`a count is over ${MOST_REPEATS}`);
    }
    this.#at += braces[0].length;
    return { least, most };
  }

  #atom(): Node {
    const char = this.#next();
    if (char === "(") return this.#group();
    if (char === "[") return { kind: "set", set: this.#class() };
    if (char === ".") return { kind: "set", set: ANY };
    if (char === "^") return { kind: "assert", what: "start" };
    if (char === "$") return { kind: "assert", what: "end" };
    if (char === "\\") return this.#escape();
    if (NOT_HERE.has(char))
      throw this.#wrong(`${char} repeats nothing; write \\${char} for the character`);
    return { kind: "set", set: this.#literal(char) };
  }

  #group(): Node {
    if (this.#source[this.#at] === "?" && !this.#took("?:")) {
      throw this.#wrong("only ( and (?: open a group: look-around and named groups can't be used");
    }
    this.#depth += 1;
    if (this.#depth > MOST_NESTED) throw this.#wrong(`groups nest more than ${MOST_NESTED} deep`);
    const node = this.#either();
    this.#depth -= 1;
    if (!this.#took(")")) throw this.#wrong("a group is not closed");
    return node;
  }

  #escape(): Node {
    const what = ASSERTIONS[this.#source[this.#at] ?? ""];
    if (what === undefined) return { kind: "set", set: this.#escapedSet() };
    this.#at += 1;
    return { kind: "assert", what };
  }

  /** After a backslash: a class such as `\d`, or one character. */
  #escapedSet(): CharSet {
    const char = this.#next();
    const named = CLASSES[char];
    if (named !== undefined) return named;
    if (char === "x") return this.#literal(this.#hex(2));
    if (char === "u") return this.#literal(this.#hex(4));
    const control = CONTROLS[char];
    if (control !== undefined) return this.#literal(control);
    if (/[0-9a-z]/i.test(char)) throw this.#wrong(`\\${char} is not known here`);
    return this.#literal(char);
  }

  #class(): CharSet {
    const negated = this.#took("^");
    let set: CharSet = [];
    for (let first = true; first || this.#source[this.#at] !== "]"; first = false) {
      const from = this.#classItem();
      const isRange = this.#source[this.#at] === "-" && this.#source[this.#at + 1] !== "]";
      if (!isRange) {
        set = union(set, from);
        continue;
      }
      this.#at += 1;
      const to = this.#classItem();
      const [low, high] = [single(from), single(to)];
      if (low === null || high === null || low > high) throw this.#wrong("a range has no order");
      set = union(set, this.#folded([[low, high]]));
    }
    this.#at += 1;
    return negated ? complement(set) : set;
  }

  #classItem(): CharSet {
    const char = this.#next();
    if (char !== "\\") return setOf(char);
    if (this.#source[this.#at] === "b") throw this.#wrong("\\b has no meaning in a class");
    return this.#escapedSet();
  }

  #literal(char: string): CharSet {
    return this.#folded(setOf(char));
  }

  #folded(set: CharSet): CharSet {
    if (!this.#foldCase) return set;
    let both = set;
    for (const [low, high] of set) {
      for (let code = low; code <= Math.min(high, 0x24f); code++) {
        const char = String.fromCharCode(code);
        for (const other of [char.toLowerCase(), char.toUpperCase()]) {
          if (other.length === 1) both = union(both, setOf(other));
        }
      }
    }
    return both;
  }

  #hex(digits: number): string {
    const text = this.#source.slice(this.#at, this.#at + digits);
    if (!new RegExp(`^[0-9a-f]{${digits}}$`, "i").test(text))
      throw this.#wrong("expected hex digits");
    this.#at += digits;
    return String.fromCharCode(Number.parseInt(text, 16));
  }

  #next(): string {
    const char = this.#source[this.#at];
    if (char === undefined) throw this.#wrong("it ends too early");
    this.#at += 1;
    return char;
  }

  #took(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #wrong(reason: string): PatternError {
    return new PatternError(`${reason} (at character ${this.#at})`);
  }
}

function single(set: CharSet): number | null {
  const [range] = set;
  return set.length === 1 && range !== undefined && range[0] === range[1] ? range[0] : null;
}
