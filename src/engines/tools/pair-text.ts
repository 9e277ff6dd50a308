import type { Machine, Position } from "../guided/machine.ts";
import { STRUCTURE } from "../guided/pair-texts.ts";
import type { PairType } from "../guided/pairs.ts";
import type { CallPiece, CallText } from "./call-text.ts";
import { JsonScan } from "./json-scan.ts";
import { findMarker, matchMarker, matchWhole } from "./marker.ts";
import type { PairsShape } from "./syntax.ts";

/** How the arguments of each tool are read. */
export type TypesOf = (tool: string) => ReadonlyMap<string, PairType>;

/**
 * `f>\n<parameter=city>\nRome\n</parameter>\n`: its arguments come out as JSON. What can't be judged
 * yet is not read: it has to be pushed again, with more.
 */
export class PairsCall implements CallText {
  done = false;
  broken = false;
  readonly #shape: PairsShape;
  readonly #names: ReadonlySet<string>;
  readonly #typesOf: TypesOf;
  #types: ReadonlyMap<string, PairType> = new Map();
  #place: "name" | "key" | "value" | "json" | "mark" = "name";
  #type: PairType = "text";
  #scan = new JsonScan();
  #given = 0;

  constructor(shape: PairsShape, names: ReadonlySet<string>, typesOf: TypesOf) {
    this.#shape = shape;
    this.#names = names;
    this.#typesOf = typesOf;
  }

  push(text: string, out: CallPiece[]): number {
    let at = 0;
    while (!this.done && !this.broken) {
      const size = this.#step(text.slice(at), out);
      if (size === null) break;
      at += size;
    }
    return at;
  }

  /** Reads one thing, and says how much that was; null when it needs more. */
  #step(text: string, out: CallPiece[]): number | null {
    switch (this.#place) {
      case "name":
        return this.#name(text, out);
      case "key":
        return this.#key(text, out);
      case "value":
        return this.#value(text, out);
      case "json":
        return this.#json(text, out);
      case "mark":
        return this.#mark(text);
    }
  }

  #name(text: string, out: CallPiece[]): number | null {
    const space = text.length - text.trimStart().length;
    const found = oneOf(this.#names, text.slice(space), this.#shape.afterName);
    if (found === "part") return null;
    if (found === null) {
      this.broken = true;
      return 0;
    }
    out.push({ kind: "name", name: found.word });
    this.#types = this.#typesOf(found.word);
    this.#place = "key";
    return space + found.size;
  }

  /** The answer ends here: it has all its arguments where none had begun. */
  end(out: CallPiece[]): void {
    if (this.#place === "key") this.#close(out);
  }

  #close(out: CallPiece[]): void {
    give(this.#given === 0 ? "{}" : "}", out);
    this.done = true;
  }

  /** Another argument, or else the end. */
  #key(text: string, out: CallPiece[]): number | null {
    const { beforeKey, afterKey } = this.#shape;
    const size = matchWhole(text, beforeKey);
    if (size === "part") return null;
    const found = size === null ? null : oneOf(this.#types.keys(), text.slice(size), afterKey);
    if (found === "part") return null;
    if (size === null || found === null) {
      this.#close(out);
      return 0;
    }
    give(`${this.#given === 0 ? "{" : ", "}${JSON.stringify(found.word)}: `, out);
    this.#given += 1;
    this.#type = this.#types.get(found.word) ?? "text";
    if (this.#type === "text") give('"', out);
    this.#place = "value";
    return size + found.size;
  }

  #value(text: string, out: CallPiece[]): number | null {
    const type = this.#type;
    if (text === "") return null;
    if (type === "text") return this.#string(text, out);
    if (type === "json" ? /^[{["]/.test(text) : type.structures && STRUCTURE.test(text)) {
      this.#place = "json";
      this.#scan = new JsonScan();
      return 0;
    }
    const { afterValue } = this.#shape;
    const at = findMarker(text, afterValue);
    const whole = text.startsWith(afterValue, at);
    const value = text.slice(0, at);
    if (type !== "json") {
      const reading = readBy(type.scalars(), value);
      // Whatever follows, it is a string.
      if (reading === "not" || (whole && reading === "part")) {
        give('"', out);
        this.#type = "text";
        return 0;
      }
    }
    if (!whole) return null;
    give(value, out);
    this.#place = "key";
    return at + afterValue.length;
  }

  #string(text: string, out: CallPiece[]): number | null {
    const { afterValue } = this.#shape;
    const at = findMarker(text, afterValue);
    const whole = text.startsWith(afterValue, at);
    const value = text.slice(0, whole ? at : wholeCharacters(text, at));
    give(escaped(value), out);
    if (!whole) return value === "" ? null : value.length;
    give('"', out);
    this.#place = "key";
    return at + afterValue.length;
  }

  #json(text: string, out: CallPiece[]): number | null {
    const to = this.#scan.push(text);
    give(text.slice(0, to), out);
    if (this.#scan.done) this.#place = "mark";
    return to === 0 && !this.#scan.done ? null : to;
  }

  #mark(text: string): number | null {
    const size = matchMarker(text, this.#shape.afterValue);
    if (size === "part") return null;
    this.#place = "key";
    return size ?? 0;
  }
}

/** One of these words, and the mark behind it; the longest, where one begins another. */
function oneOf(
  words: Iterable<string>,
  text: string,
  after: string,
): { readonly word: string; readonly size: number } | "part" | null {
  let open = false;
  let best: { readonly word: string; readonly size: number } | null = null;
  for (const word of words) {
    const all = `${word}${after}`;
    if (text.length < all.length && all.startsWith(text)) open = true;
    else if (text.startsWith(all) && all.length > (best?.size ?? 0))
      best = { word, size: all.length };
  }
  return open ? "part" : best;
}

/** What a text is to a machine: one of its texts, or the beginning of one, or neither. */
function readBy(machine: Machine | null, text: string): "whole" | "part" | "not" {
  let at: Position | null = machine?.start ?? null;
  for (const byte of new TextEncoder().encode(text)) {
    if (machine === null || at === null) break;
    at = machine.step(at, byte);
  }
  if (at === null) return "not";
  return at.accepts ? "whole" : "part";
}

/** A place that is not within a pair of surrogates. */
function wholeCharacters(text: string, at: number): number {
  const last = text.charCodeAt(at - 1);
  return at > 0 && last >= 0xd800 && last <= 0xdbff ? at - 1 : at;
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function give(text: string, out: CallPiece[]): void {
  if (text !== "") out.push({ kind: "arguments", text });
}
