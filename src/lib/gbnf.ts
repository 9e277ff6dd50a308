/**
 * Grammars in llama.cpp's GBNF. Its escapes and repetitions are those of
 * github.com/ggml-org/llama.cpp/blob/master/grammars/README.md.
 */

/** A grammar that gives exactly one of these texts. */
export function choiceToGbnf(choices: readonly string[]): string {
  return `root ::= ${choices.map(literal).join(" | ")}`;
}

/** A regular expression that matches exactly one of these texts. */
export function choiceToRegex(choices: readonly string[]): string {
  return `(${choices.map((choice) => choice.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("|")})`;
}

/** More repetitions than this llama.cpp refuses or takes long to read. */
const MAX_REPEAT = 1000;
const MAX_DEPTH = 100;

/**
 * A grammar for texts that this regular expression matches as a whole; null for what a grammar can't
 * say: looking around, references, word boundaries, anchors but at the ends, named classes but
 * `\d \w \s` and their opposites. Lazy and greedy are the same here, since the whole text must match.
 */
export function regexToGbnf(pattern: string): string | null {
  const reader = new Reader(pattern);
  const body = reader.whole();
  return body === null ? null : `root ::= ${body === "" ? '""' : body}`;
}

const CLASSES: Record<string, string> = { d: "0-9", w: "a-zA-Z0-9_", s: " \\t\\n\\r\\x0B\\x0C" };
const CONTROLS: Record<string, string> = { t: "\t", n: "\n", r: "\r", f: "\f", v: "\v", 0: "\0" };

class Reader {
  readonly #chars: string[];
  #at = 0;
  #depth = 0;

  constructor(pattern: string) {
    this.#chars = [...pattern];
  }

  whole(): string | null {
    if (this.#peek() === "^") this.#at += 1;
    const body = this.#alternatives();
    if (this.#peek() === "$") this.#at += 1;
    return body !== null && this.#at === this.#chars.length ? body : null;
  }

  #peek(ahead = 0): string | undefined {
    return this.#chars[this.#at + ahead];
  }

  #alternatives(): string | null {
    const all: string[] = [];
    for (;;) {
      const sequence = this.#sequence();
      if (sequence === null) return null;
      all.push(sequence === "" ? '""' : sequence);
      if (this.#peek() !== "|") break;
      this.#at += 1;
    }
    return all.length === 1 ? (all[0] ?? "") : all.join(" | ");
  }

  #sequence(): string | null {
    const parts: string[] = [];
    for (;;) {
      const next = this.#peek();
      if (next === undefined || next === "|" || next === ")") break;
      // Only at the very end, where it says what is so anyway.
      if (next === "$" && this.#at === this.#chars.length - 1) break;
      const atom = this.#atom(next);
      const times = atom === null ? null : this.#times();
      if (atom === null || times === null) return null;
      parts.push(atom + times);
    }
    return parts.join(" ");
  }

  #atom(next: string): string | null {
    this.#at += 1;
    if (next === "(") return this.#group();
    if (next === "[") return this.#set();
    if (next === ".") return "[^\\n\\r]";
    if (next === "\\") return this.#escape();
    return "*+?{}^$".includes(next) ? null : literal(next);
  }

  #group(): string | null {
    if (this.#peek() === "?") {
      if (this.#peek(1) === ":") this.#at += 2;
      else if (!this.#name()) return null;
    }
    this.#depth += 1;
    const body = this.#depth > MAX_DEPTH ? null : this.#alternatives();
    this.#depth -= 1;
    if (body === null || this.#peek() !== ")") return null;
    this.#at += 1;
    return `(${body})`;
  }

  /** `?<name>` or Python's `?P<name>`: a group like any other. */
  #name(): boolean {
    const found = /^\?P?<[A-Za-z_]\w*>/.exec(this.#chars.slice(this.#at, this.#at + 80).join(""));
    if (found === null) return false;
    this.#at += found[0].length;
    return true;
  }

  #escape(): string | null {
    const next = this.#peek();
    const set = next === undefined ? undefined : CLASSES[next.toLowerCase()];
    if (next !== undefined && set !== undefined) {
      this.#at += 1;
      return next === next.toLowerCase() ? `[${set}]` : `[^${set}]`;
    }
    const char = this.#escaped();
    return char === null ? null : literal(char);
  }

  /** The one character that stands after a backslash. */
  #escaped(): string | null {
    const next = this.#peek();
    if (next === undefined) return null;
    this.#at += 1;
    const control = CONTROLS[next];
    if (control !== undefined) return control;
    if (next === "x") return this.#code(2);
    if (next === "u") return this.#code(4);
    return /[A-Za-z0-9]/.test(next) ? null : next;
  }

  #code(digits: number): string | null {
    const hex = this.#chars.slice(this.#at, this.#at + digits).join("");
    if (!/^[0-9a-fA-F]+$/.test(hex) || hex.length !== digits) return null;
    this.#at += digits;
    return String.fromCodePoint(Number.parseInt(hex, 16));
  }

  #set(): string | null {
    let body = "";
    if (this.#peek() === "^") {
      this.#at += 1;
      body = "^";
    }
    for (let first = true; ; first = false) {
      const next = this.#peek();
      if (next === undefined) return null;
      this.#at += 1;
      if (next === "]" && !first) break;
      const from = next === "\\" ? this.#setEscape() : member(next);
      if (from === null) return null;
      body += from;
      // A range, unless the dash is the last of the set.
      if (this.#peek() !== "-" || this.#peek(1) === "]") continue;
      this.#at += 1;
      const end = this.#peek();
      if (end === undefined || (from.length > 1 && !from.startsWith("\\"))) return null;
      this.#at += 1;
      const to = end === "\\" ? this.#escaped() : end;
      if (to === null) return null;
      body += `-${member(to)}`;
    }
    return body === "" || body === "^" ? null : `[${body}]`;
  }

  #setEscape(): string | null {
    const next = this.#peek();
    const set = next === undefined ? undefined : CLASSES[next];
    if (set !== undefined) {
      this.#at += 1;
      return set;
    }
    const char = this.#escaped();
    return char === null ? null : member(char);
  }

  #times(): string | null {
    const next = this.#peek();
    let times = "";
    if (next === "*" || next === "+" || next === "?") {
      this.#at += 1;
      times = next;
    } else if (next === "{") {
      const found = /^\{(\d+)(,?)(\d*)\}/.exec(this.#chars.slice(this.#at, this.#at + 20).join(""));
      if (found === null) return null;
      const [text, least = "", comma, most = ""] = found;
      if (Number(least) > MAX_REPEAT || Number(most) > MAX_REPEAT) return null;
      if (most !== "" && Number(most) < Number(least)) return null;
      this.#at += text.length;
      times = comma === "" ? `{${least}}` : `{${least},${most}}`;
    }
    if (times === "") return "";
    const after = this.#peek();
    if (after === "?") this.#at += 1;
    // Possessive, or a repetition of a repetition.
    return after !== undefined && "+*{".includes(after) ? null : times;
  }
}

/** A text in quotes. */
function literal(text: string): string {
  return `"${[...text].map((char) => (char === '"' || char === "\\" ? `\\${char}` : plain(char))).join("")}"`;
}

/** A character of a set. */
function member(char: string): string {
  return /[A-Za-z0-9]/.test(char) || (char.codePointAt(0) ?? 0) > 0x7e ? plain(char) : code(char);
}

function plain(char: string): string {
  const point = char.codePointAt(0) ?? 0;
  return point < 0x20 || point === 0x7f ? code(char) : char;
}

function code(char: string): string {
  return `\\x${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(2, "0")}`;
}
