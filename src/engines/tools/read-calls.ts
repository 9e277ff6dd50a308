import { StopMatcher } from "../../lib/stop-matcher.ts";
import { type CallPiece, type CallText, callText } from "./call-text.ts";
import { findMarker, matchMarker } from "./marker.ts";
import type { TypesOf } from "./pair-text.ts";
import { type CallSyntax, triggerOf } from "./syntax.ts";

/** What an answer's text says, in order. `index` counts its calls from 0. */
export type SaidPiece =
  | { readonly kind: "content"; readonly text: string }
  | { readonly kind: "call"; readonly index: number; readonly name: string }
  | { readonly kind: "arguments"; readonly index: number; readonly text: string };

interface Asked {
  /** The answer has to be a call. */
  readonly required?: boolean;
  /** The prompt ends with what announces one. */
  readonly begun?: boolean;
  /** The answer ends with its first call. */
  readonly single?: boolean;
}

/**
 * Tells an answer's text apart into words and calls of tools while it comes. What comes out depends
 * on the text alone, not on how it was cut into pieces. White space around calls is no content, and
 * what looks like a call but names no tool that there is, is content. A stop string is looked for in all
 * that is no call, white space included, and ends the answer.
 */
export class CallReader {
  readonly #syntax: CallSyntax;
  readonly #names: ReadonlySet<string>;
  /** What announces a call, and what follows that until the call itself. */
  readonly #trigger: string;
  readonly #opening: string;
  #place: "text" | "opening" | "call" | "after" = "text";
  /** Text that can't be judged yet. */
  #held = "";
  /** What may turn out to be content: a call's text until its name is known. */
  #raw = "";
  #call: CallText | null = null;
  /** The call that is being read has a name, and so is one. */
  #named = false;
  /** Its name while none of its arguments are there: it is told with the first of them. */
  #waiting: string | null = null;
  #calls = 0;
  /** Words came last: what nothing announces can't be a call any more. */
  #spoke = false;
  /** White space that is content if words follow. */
  #space = "";
  readonly #required: boolean;
  readonly #single: boolean;
  readonly #typesOf: TypesOf | undefined;
  readonly #stops: StopMatcher;
  #stopped = false;

  /**
   * `names`: the tools there are. `stops`: what ends the answer's words. `typesOf`: how arguments are
   * read that are no JSON.
   */
  constructor(
    syntax: CallSyntax,
    names: ReadonlySet<string>,
    { required = false, begun = required, single = false }: Asked = {},
    stops = new StopMatcher([]),
    typesOf?: TypesOf,
  ) {
    this.#typesOf = typesOf;
    this.#stops = stops;
    this.#syntax = syntax;
    this.#names = names;
    this.#trigger = triggerOf(syntax);
    this.#opening = syntax.begin.trimStart().slice(this.#trigger.length);
    this.#required = required;
    this.#single = single;
    if (begun) this.#begin("");
  }

  /** The last call so far has ended. */
  get complete(): boolean {
    return this.#calls > 0 && this.#place !== "call";
  }

  /** How many calls there are so far. */
  get calls(): number {
    return this.#calls;
  }

  /** A stop string has come: nothing after it is part of the answer. */
  get stopped(): boolean {
    return this.#stopped;
  }

  get #over(): boolean {
    return this.#stopped || (this.#single && this.complete);
  }

  /** UTF-16 units at the end of what was pushed that can't be judged yet, or come after its end. */
  get behind(): number {
    const open = this.#place === "opening" || (this.#place === "call" && !this.#named);
    return this.#stops.behind + (open ? this.#raw.length : 0) + this.#held.length;
  }

  push(text: string): SaidPiece[] {
    const out: SaidPiece[] = [];
    this.#held += text;
    while (!this.#over && this.#held !== "" && this.#step(out));
    return out;
  }

  /**
   * At the answer's end: what was held is content after all, unless it could be nothing but a call. `cut`:
   * the answer would have gone on; of a call it had begun there is nothing then before its arguments.
   */
  end(cut = false): SaidPiece[] {
    const out: SaidPiece[] = [];
    if (this.#stopped) return out;
    if (!cut) this.#endCall(out);
    const lost = this.#required || (cut && this.#isBegun());
    const unfinished = this.#place === "opening" || (this.#place === "call" && !this.#named);
    if (unfinished && !lost) this.#say(this.#raw + this.#held, out);
    if (this.#place === "text" && !lost) this.#say(this.#held, out);
    this.#held = "";
    if (this.#stopped) return out;
    this.#give(this.#stops.flush(), out);
    if (this.#calls === 0 && this.#space !== "" && !this.#required)
      out.push({ kind: "content", text: this.#space });
    this.#space = "";
    return out;
  }

  #endCall(out: SaidPiece[]): void {
    const pieces: CallPiece[] = [];
    if (this.#place === "call" && this.#named) this.#call?.end?.(pieces);
    for (const piece of pieces) this.#tell(piece, out);
    this.#tellName(out);
  }

  /** Whether what is held is the beginning of a call, as far as anybody can tell. A single `<` is not. */
  #isBegun(): boolean {
    if (this.#calls > 0) return true;
    if (this.#trigger === "") return false;
    return this.#place === "text" ? this.#held.length > 1 : true;
  }

  /** Reads one thing of what is held; false when it needs more text for that. */
  #step(out: SaidPiece[]): boolean {
    switch (this.#place) {
      case "text":
        return this.#trigger === "" ? this.#unannounced(out) : this.#words(out);
      case "opening":
        return this.#open(out);
      case "call":
        return this.#read(out);
      case "after":
        return this.#leave();
    }
  }

  #words(out: SaidPiece[]): boolean {
    const at = findMarker(this.#held, this.#trigger);
    this.#say(this.#held.slice(0, at), out);
    this.#held = this.#held.slice(at);
    if (!this.#held.startsWith(this.#trigger)) return false;
    this.#raw = this.#trigger;
    this.#held = this.#held.slice(this.#trigger.length);
    this.#place = "opening";
    return true;
  }

  #open(out: SaidPiece[]): boolean {
    const size = matchMarker(this.#held, this.#opening);
    if (size === "part") return false;
    if (size === null) this.#giveUp(out);
    else {
      const opened = this.#raw + this.#held.slice(0, size);
      this.#held = this.#held.slice(size);
      this.#begin(opened);
    }
    return true;
  }

  /** Where nothing announces a call, only what begins with one is one. */
  #unannounced(out: SaidPiece[]): boolean {
    if (this.#held.trimStart() === "") return false;
    if (!this.#spoke) this.#begin("");
    else {
      this.#say(this.#held, out);
      this.#held = "";
    }
    return true;
  }

  #begin(raw: string): void {
    this.#place = "call";
    this.#raw = raw;
    this.#named = false;
    this.#call = callText(this.#syntax.shape, this.#names, this.#typesOf);
  }

  #read(out: SaidPiece[]): boolean {
    const call = this.#call;
    if (call === null) return false;
    const pieces: CallPiece[] = [];
    const size = call.push(this.#held, pieces);
    this.#raw += this.#held.slice(0, size);
    this.#held = this.#held.slice(size);
    for (const piece of pieces) this.#tell(piece, out);
    if (call.broken) this.#giveUp(out);
    else if (call.done) {
      this.#tellName(out);
      this.#place = "after";
    }
    return size > 0 || this.#place !== "call";
  }

  #tell(piece: CallPiece, out: SaidPiece[]): void {
    if (piece.kind === "name") {
      this.#named = true;
      this.#waiting = piece.name;
      return;
    }
    this.#tellName(out);
    out.push({ kind: "arguments", index: this.#calls - 1, text: piece.text });
  }

  #tellName(out: SaidPiece[]): void {
    if (this.#waiting === null) return;
    this.#give(this.#stops.flush(), out);
    this.#space = "";
    out.push({ kind: "call", index: this.#calls++, name: this.#waiting });
    this.#waiting = null;
  }

  /** What was taken for the beginning of a call is content. */
  #giveUp(out: SaidPiece[]): void {
    this.#place = "text";
    this.#say(this.#raw, out);
    this.#spoke = true;
  }

  #leave(): boolean {
    const { between, end } = this.#syntax;
    const more =
      between === null || between.trim().startsWith(end.trim())
        ? null
        : matchMarker(this.#held, between);
    const over = matchMarker(this.#held, end);
    if (typeof more === "number") {
      this.#held = this.#held.slice(more);
      this.#begin("");
    } else if (over === "part" || more === "part") return false;
    else {
      this.#held = this.#held.slice(over ?? 0);
      this.#place = "text";
      this.#spoke = between === null;
    }
    return true;
  }

  #say(text: string, out: SaidPiece[]): void {
    if (text.trim() !== "") this.#spoke = true;
    const { emit, stopped } = this.#stops.push(text);
    this.#stopped = stopped;
    this.#give(emit, out);
    if (stopped && this.#space !== "") out.push({ kind: "content", text: this.#space });
  }

  /** White space is held until words follow. */
  #give(text: string, out: SaidPiece[]): void {
    const all = this.#space + text;
    const words = all.trimEnd();
    this.#space = all.slice(words.length);
    if (words !== "") out.push({ kind: "content", text: words });
  }
}
