import { type CharRanges, complement, EVERY, rangesOf } from "./char-ranges.ts";
import { either, type Node, type RuleNode, repeat, rule, sequence } from "./node.ts";
import { SpecError } from "./spec-error.ts";
import { ANY_LENGTH, Text } from "./text.ts";
import { literal } from "./words.ts";
import { Work } from "./work.ts";

const MOST_LENGTH = 64 * 1024;
const MOST_NESTED = 60;
const MOST_REPEATS = 10_000;
const CLASS_WORK = 16;
const NAME = /[A-Za-z0-9_-]+/y;
const COUNTS = /\{\s*(\d+)\s*(?:(,)\s*(\d+)?\s*)?\}/y;
const HEX = { x: 2, u: 4, U: 8 } as const;
const CONTROLS: ReadonlyMap<string, number> = new Map([
  ["n", 10],
  ["r", 13],
  ["t", 9],
]);

/**
 * Reads a grammar in llama.cpp's GBNF
 * (github.com/ggml-org/llama.cpp/blob/master/grammars/README.md). @throws SpecError
 */
export function gbnfNode(source: string, work = new Work()): Node {
  if (source.length > MOST_LENGTH)
    throw new SpecError(`The grammar is longer than ${MOST_LENGTH} characters.`);
  return new Parser(source, work).whole();
}

class Parser {
  readonly #source: string;
  readonly #work: Work;
  readonly #rules = new Map<string, RuleNode>();
  #at = 0;
  #depth = 0;

  constructor(source: string, work: Work) {
    this.#source = source;
    this.#work = work;
  }

  whole(): Node {
    this.#space(true);
    if (this.#at === this.#source.length) throw this.#wrong("there are no rules");
    while (this.#at < this.#source.length) this.#rule();
    for (const { name, body } of this.#rules.values())
      if (body === null) throw new SpecError(`The grammar has no rule '${name}'.`);
    const root = this.#rules.get("root");
    if (root === undefined) throw new SpecError("The grammar has no rule 'root'.");
    return root;
  }

  #rule(): void {
    const name = this.#match(NAME);
    if (name === null) throw this.#wrong("expected the name of a rule");
    this.#space(false);
    if (!this.#took("::="))
      throw this.#wrong(
        "guided_grammar is GBNF here, whose rules are 'name ::= …'; expected '::='",
      );
    this.#space(true);
    const found = this.#named(name[0]);
    if (found.body !== null) throw this.#wrong(`there are two rules '${name[0]}'`);
    found.body = this.#choices(false);
    if (this.#at < this.#source.length && !/[\r\n]/.test(this.#source[this.#at] ?? ""))
      throw this.#wrong("expected the end of the line");
    this.#space(true);
  }

  #choices(nested: boolean): Node {
    this.#depth += 1;
    if (this.#depth > MOST_NESTED) throw this.#wrong(`it nests more than ${MOST_NESTED} deep`);
    const parts = [this.#row(nested)];
    while (this.#took("|")) {
      this.#space(true);
      parts.push(this.#row(nested));
    }
    this.#depth -= 1;
    return either(...parts);
  }

  #row(nested: boolean): Node {
    const parts: Node[] = [];
    for (;;) {
      const item = this.#item();
      if (item === null) return sequence(...parts);
      parts.push(this.#repeated(item));
      this.#space(nested);
    }
  }

  #item(): Node | null {
    const next = this.#source[this.#at];
    this.#work.spend(1);
    if (next === '"') return this.#literal();
    if (next === "[") return this.#class();
    if (next === ".") {
      this.#at += 1;
      return oneChar(EVERY);
    }
    if (next === "(") {
      this.#at += 1;
      this.#space(true);
      const node = this.#choices(true);
      if (!this.#took(")")) throw this.#wrong("expected ')'");
      return node;
    }
    const name = this.#match(NAME);
    return name === null ? null : this.#named(name[0]);
  }

  #repeated(part: Node): Node {
    let node = part;
    for (let depth = 0; ; depth++) {
      this.#blanks();
      const counts = this.#counts();
      if (counts === null) return node;
      if (depth > 2) throw this.#wrong("too many repetitions in a row");
      node = repeat(node, counts.least, counts.most);
    }
  }

  #counts(): { least: number; most: number } | null {
    if (this.#took("*")) return { least: 0, most: Number.POSITIVE_INFINITY };
    if (this.#took("+")) return { least: 1, most: Number.POSITIVE_INFINITY };
    if (this.#took("?")) return { least: 0, most: 1 };
    if (this.#source[this.#at] !== "{") return null;
    const found = this.#match(COUNTS);
    if (found === null) throw this.#wrong("expected {m}, {m,} or {m,n}");
    const least = Number(found[1]);
    const open = found[2] === undefined ? least : Number.POSITIVE_INFINITY;
    const most = found[3] === undefined ? open : Number(found[3]);
    if (least > most) throw this.#wrong("the second count is smaller than the first");
    if (least > MOST_REPEATS || (Number.isFinite(most) && most > MOST_REPEATS))
      throw this.#wrong(`a count is over ${MOST_REPEATS}`);
    return { least, most };
  }

  #literal(): Node {
    this.#at += 1;
    let text = "";
    while (!this.#took('"')) text += String.fromCodePoint(this.#char());
    return literal(text);
  }

  #class(): Node {
    this.#at += 1;
    const negated = this.#took("^");
    const ranges: [number, number][] = [];
    while (!this.#took("]")) {
      const low = this.#char();
      const isRange = this.#source[this.#at] === "-" && this.#source[this.#at + 1] !== "]";
      if (isRange) this.#at += 1;
      const high = isRange ? this.#char() : low;
      if (low > high) throw this.#wrong("a range has no order");
      ranges.push([low, high]);
    }
    this.#work.spend(CLASS_WORK + ranges.length);
    const set = rangesOf(ranges);
    return oneChar(negated ? complement(set) : set);
  }

  /** The next character of a literal or a class. */
  #char(): number {
    const point = this.#source.codePointAt(this.#at);
    if (point === undefined) throw this.#wrong("it ends too early");
    this.#at += point > 0xffff ? 2 : 1;
    if (point !== 0x5c) return point;
    const next = this.#source[this.#at] ?? "";
    this.#at += 1;
    if (next === "x" || next === "u" || next === "U") {
      const hex = this.#source.slice(this.#at, this.#at + HEX[next]);
      const code = Number.parseInt(hex, 16);
      if (!/^[0-9A-Fa-f]+$/.test(hex) || hex.length !== HEX[next] || code > 0x10ffff)
        throw this.#wrong("expected hex digits");
      this.#at += hex.length;
      return code;
    }
    const control = CONTROLS.get(next);
    if (control !== undefined) return control;
    if (next !== "" && '\\"[]^-'.includes(next)) return next.charCodeAt(0);
    throw this.#wrong(`\\${next} is not known`);
  }

  #named(name: string): RuleNode {
    const known = this.#rules.get(name);
    if (known !== undefined) return known;
    const fresh = rule(name);
    this.#rules.set(name, fresh);
    return fresh;
  }

  /** White space and comments. */
  #space(lines: boolean): void {
    for (;;) {
      const next = this.#source[this.#at];
      if (next === "#")
        while (this.#at < this.#source.length && !/[\r\n]/.test(this.#source[this.#at] ?? ""))
          this.#at += 1;
      else if (next === " " || next === "\t" || (lines && (next === "\n" || next === "\r")))
        this.#at += 1;
      else return;
    }
  }

  #blanks(): void {
    while (/[ \t]/.test(this.#source[this.#at] ?? "")) this.#at += 1;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source);
    if (found !== null) this.#at += found[0].length;
    return found;
  }

  #took(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #wrong(reason: string): SpecError {
    const line = this.#source.slice(0, this.#at).split("\n").length;
    return new SpecError(`The grammar can't be read: ${reason} (line ${line}).`);
  }
}

/** One of these characters. */
function oneChar(set: CharRanges): Node {
  // None at all: a choice of nothing, which no text fits.
  if (set.length === 0) return either();
  const moves = set.map(([low, high]) => ({ low, high, to: 1 }));
  const dfa = { states: 2, moves: [moves, []], accepts: [false, true] };
  return new Text(dfa, ANY_LENGTH, false);
}
