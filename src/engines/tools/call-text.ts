import { JsonScan } from "./json-scan.ts";
import { PairsCall, type TypesOf } from "./pair-text.ts";
import type { CallShape } from "./syntax.ts";

/** What of a call was read: its name, once and first, then its arguments piece by piece. */
export type CallPiece =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "arguments"; readonly text: string };

/** One call's text while it comes. */
export interface CallText {
  /** It has ended. */
  readonly done: boolean;
  /** It is no call: some other text, or one of a tool that there is not. Never after its name. */
  readonly broken: boolean;
  /**
   * Reads as much of the text as belongs to the call and can be judged, and says how much that was: the
   * rest of a call that goes on is pushed again, with more.
   */
  push(text: string, out: CallPiece[]): number;
  /** The answer ends, as its model wanted: what nothing else ends does here. */
  end?(out: CallPiece[]): void;
}

/** `typesOf` is for arguments that are written as pairs. */
export function callText(
  shape: CallShape,
  names: ReadonlySet<string>,
  typesOf: TypesOf = () => new Map(),
): CallText {
  if (shape.kind === "pairs") return new PairsCall(shape, names, typesOf);
  return shape.kind === "object"
    ? new CallObject(shape, names)
    : new NamedCall(shape.middle, names);
}

const SPACE = /\s/;

/** `{"name": "f", "arguments": {…}}`, its keys in any order; others are skipped. */
class CallObject implements CallText {
  done = false;
  broken = false;
  readonly #keys: Extract<CallShape, { kind: "object" }>;
  readonly #names: ReadonlySet<string>;
  #place: "open" | "key" | "in key" | "colon" | "value" | "in value" | "comma" = "open";
  #scan = new JsonScan();
  /** Of a key or a name. */
  #text = "";
  #key = "";
  #named = false;
  /** Arguments that came before the name. */
  #held = "";
  #given: "nothing" | "part" | "all" = "nothing";

  constructor(keys: Extract<CallShape, { kind: "object" }>, names: ReadonlySet<string>) {
    this.#keys = keys;
    this.#names = names;
  }

  push(text: string, out: CallPiece[]): number {
    let at = 0;
    while (at < text.length && !this.done && !this.broken) {
      if (this.#place === "in key" || this.#place === "in value") at = this.#read(text, at, out);
      else {
        const char = text.charAt(at);
        if (SPACE.test(char)) at++;
        else at += this.#step(char, out);
      }
    }
    return at;
  }

  /** One character between keys and values; 0 when it begins one of them. */
  #step(char: string, out: CallPiece[]): number {
    const place = this.#place;
    if (place === "open" && char === "{") this.#place = "key";
    else if (place === "key" && char === '"') return this.#begin("in key");
    else if (place === "colon" && char === ":") this.#place = "value";
    else if (place === "comma" && char === ",") this.#place = "key";
    else if ((place === "comma" || place === "key") && char === "}") this.#end(out);
    else if (place === "value") return this.#begin("in value");
    else this.#finish();
    return 1;
  }

  #begin(place: "in key" | "in value"): number {
    this.#place = place;
    this.#scan = new JsonScan();
    this.#text = "";
    return 0;
  }

  #read(text: string, from: number, out: CallPiece[]): number {
    const to = this.#scan.push(text, from);
    const part = text.slice(from, to);
    const { done } = this.#scan;
    const inKey = this.#place === "in key";
    const isArguments = !inKey && this.#key === this.#keys.arguments && this.#given !== "all";
    if (isArguments) this.#give(part, out);
    else this.#text += part;
    if (!done) return to;
    if (isArguments) this.#given = "all";
    if (inKey) {
      this.#key = textIn(this.#text) ?? "";
      this.#place = "colon";
      return to;
    }
    if (this.#key === this.#keys.name && !this.#named) this.#name(textIn(this.#text), out);
    this.#place = "comma";
    return to;
  }

  #name(name: string | null, out: CallPiece[]): void {
    if (name === null || !this.#names.has(name)) {
      this.broken = true;
      return;
    }
    this.#named = true;
    out.push({ kind: "name", name });
    if (this.#held !== "") out.push({ kind: "arguments", text: this.#held });
    this.#held = "";
  }

  #give(text: string, out: CallPiece[]): void {
    if (text === "") return;
    this.#given = "part";
    if (this.#named) out.push({ kind: "arguments", text });
    else this.#held += text;
  }

  #end(out: CallPiece[]): void {
    this.#finish();
    if (this.broken) return;
    if (this.#given === "nothing") out.push({ kind: "arguments", text: "{}" });
  }

  /** What has a name is a call, however it goes on. */
  #finish(): void {
    if (this.#named) this.done = true;
    else this.broken = true;
  }
}

/** `f[ARGS]{…}` */
class NamedCall implements CallText {
  done = false;
  broken = false;
  readonly #middle: string;
  readonly #names: ReadonlySet<string>;
  readonly #scan = new JsonScan();
  #text = "";
  #named = false;
  #begun = false;

  constructor(middle: string, names: ReadonlySet<string>) {
    this.#middle = middle;
    this.#names = names;
  }

  push(text: string, out: CallPiece[]): number {
    let at = 0;
    while (!this.#named && at < text.length && !this.broken) {
      this.#text += text.charAt(at++);
      this.#look(out);
    }
    while (this.#named && !this.#begun && at < text.length) {
      if (!SPACE.test(text.charAt(at))) this.#begun = true;
      else at++;
    }
    if (!this.#begun || at >= text.length) return at;
    const to = this.#scan.push(text, at);
    if (to > at) out.push({ kind: "arguments", text: text.slice(at, to) });
    this.done = this.#scan.done;
    return to;
  }

  #look(out: CallPiece[]): void {
    if (this.#text.endsWith(this.#middle)) {
      const name = this.#text.slice(0, -this.#middle.length).trim();
      if (this.#names.has(name)) {
        this.#named = true;
        out.push({ kind: "name", name });
        return;
      }
    }
    const begun = this.#text.trimStart();
    this.broken = ![...this.#names].some((name) => `${name}${this.#middle}`.startsWith(begun));
  }
}

/** The text a JSON string is; null when it is something else. */
function textIn(json: string): string | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "string" ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
