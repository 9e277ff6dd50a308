import type { ChatFinishReason } from "../../contract/chat.ts";
import { StopMatcher } from "../../lib/stop-matcher.ts";
import type { AnswerReader, AnswerRules, Said } from "../chat-answer.ts";
import type { FinishReason } from "../protocol.ts";
import { findMarker } from "../tools/marker.ts";
import type { ToolUse } from "../tools/use.ts";
import { type Harmony, type Marks, marksOf } from "./marks.ts";

/** What a message is: its channel and its recipient say so. */
type Body = "reasoning" | "content" | "call";

/**
 * Tells apart what a model says in channels while it comes: `analysis` is its thinking, `commentary`
 * and `final` are words, and what is sent to a function is a call. However the text is cut, it comes to
 * the same.
 */
export class HarmonyAnswer implements AnswerReader {
  readonly #marks: Marks;
  readonly #seal: string;
  readonly #use: ToolUse | null;
  readonly #stops: StopMatcher;
  readonly #minTokens: number;
  /** Null between messages. */
  #body: Body | null;
  /** Of a message that has no body yet. */
  #header = "";
  /** Text that can't be judged yet. */
  #held = "";
  /** What there was some of already; a further message of its kind begins on a line of its own. */
  readonly #said = new Set<Body>();
  #opens = true;
  /** No mark has come. */
  #unmarked = true;
  /** A call's name while none of its arguments are there. */
  #name: string | null = null;
  #calls = 0;
  #called = false;
  #stopped = false;
  #ended = false;
  #pushed = 0;
  #unread = 0;

  constructor(harmony: Harmony, { use, begun, stop, includeStop, minTokens }: AnswerRules) {
    this.#marks = marksOf(harmony);
    this.#seal = harmony.seal;
    this.#use = use;
    this.#stops = new StopMatcher(stop, includeStop);
    this.#minTokens = minTokens;
    this.#body = begun ? "content" : null;
  }

  get thinking(): boolean {
    return this.#body === "reasoning";
  }

  get over(): boolean {
    return this.#stopped || this.#called;
  }

  get settled(): number {
    const open = this.#header.length + this.#held.length;
    return this.#pushed - this.#unread - this.#stops.behind - open;
  }

  push(text: string, completionTokens = Number.POSITIVE_INFINITY): Said[] {
    this.#stops.ends = completionTokens > this.#minTokens;
    this.#pushed += text.length;
    const out: Said[] = [];
    this.#held += text;
    while (!this.over && this.#held !== "" && this.#step(out));
    if (this.over) {
      this.#unread += this.#held.length;
      this.#held = "";
    }
    return out;
  }

  end(cut = false): Said[] {
    if (this.#ended) return [];
    this.#ended = true;
    const out: Said[] = [];
    if (this.over) return out;
    if (this.#body === null) {
      // No header at all: words of a model that forgot its channels.
      if (!cut && this.#unmarked) this.#say(`${this.#header}${this.#held}`, out);
    } else if (this.#body !== "call") this.#give(this.#body, this.#held, out);
    else if (!cut) this.#tellName(out, "{}");
    this.#held = "";
    this.#header = "";
    this.#flush(out);
    return out;
  }

  finish(reason: FinishReason): ChatFinishReason {
    if (reason !== "stop" || this.#calls === 0) return reason;
    return this.#use?.legacy === true ? "function_call" : "tool_calls";
  }

  /** Reads up to the next mark; false when it needs more text for that. */
  #step(out: Said[]): boolean {
    const at = Math.min(...this.#marks.all.map((mark) => findMarker(this.#held, mark)));
    const text = this.#held.slice(0, at);
    const rest = this.#held.slice(at);
    const mark = this.#marks.all.find((each) => rest.startsWith(each));
    this.#held = rest.slice(mark?.length ?? 0);
    if (this.#body === null) this.#header += text;
    else this.#give(this.#body, text, out);
    if (this.#stopped) return false;
    if (mark !== undefined) this.#mark(mark, out);
    return mark !== undefined;
  }

  #mark(mark: string, out: Said[]): void {
    const first = this.#unmarked;
    this.#unmarked = false;
    if (this.#body !== null) {
      this.#close(out);
      // Of what ends a message only that stays which begins another.
      this.#header = mark === this.#marks.channel ? mark : "";
    } else if (mark === this.#marks.message) this.#open();
    else if (mark === this.#marks.channel || mark === this.#marks.constrain) this.#header += mark;
    else {
      if (first && mark !== this.#marks.start) this.#say(this.#header, out);
      this.#header = "";
    }
  }

  #open(): void {
    const header = this.#header.replaceAll(this.#seal || "\0", "");
    const name = /to=functions\.([^\s<]+)/.exec(header)?.[1];
    this.#header = "";
    this.#opens = true;
    if (name !== undefined && this.#use?.callable.has(name) === true) {
      this.#body = "call";
      this.#name = name;
    } else this.#body = /<\|channel\|>\s*analysis(?! to=)/.test(header) ? "reasoning" : "content";
  }

  #close(out: Said[]): void {
    if (this.#body === "call") {
      this.#tellName(out, "{}");
      this.#called = true;
    } else if (this.#body === "content") this.#flush(out);
    this.#body = null;
  }

  #give(body: Body, text: string, out: Said[]): void {
    if (text === "") return;
    if (body === "call") {
      this.#tellName(out, "");
      out.push({ kind: "arguments", index: this.#calls - 1, text });
      return;
    }
    const line = this.#opens && this.#said.has(body) ? "\n" : "";
    this.#opens = false;
    this.#said.add(body);
    if (body === "reasoning") out.push({ kind: "reasoning", text: line + text });
    else this.#say(line + text, out);
  }

  #say(text: string, out: Said[]): void {
    const { emit, stopped } = this.#stops.push(text);
    this.#stopped = stopped;
    if (emit !== "") out.push({ kind: "content", text: emit });
  }

  #flush(out: Said[]): void {
    const rest = this.#stops.flush();
    if (rest !== "") out.push({ kind: "content", text: rest });
  }

  /** `given`: what its arguments are if none come. */
  #tellName(out: Said[], given: string): void {
    if (this.#name === null) return;
    out.push({ kind: "call", index: this.#calls++, name: this.#name });
    if (given !== "") out.push({ kind: "arguments", index: this.#calls - 1, text: given });
    this.#name = null;
  }
}
