import { findMarker } from "../tools/marker.ts";
import type { Thinking } from "./markers.ts";

/** Text of an answer that is thinking, or that is not. */
export interface Thought {
  readonly kind: "reasoning" | "content";
  readonly text: string;
}

/**
 * Tells an answer's thinking, which is at its beginning, from the rest while it comes. What comes out
 * depends on the text alone, not on how it was cut into pieces. The marks, and the white space next to
 * them, are neither. Thinking that nothing closes lasts as long as the answer.
 */
export class ThoughtReader {
  readonly #thinking: Thinking;
  /** What else ends thinking, and is no part of it. */
  readonly #ends: readonly string[];
  #place: "start" | "inside" | "closed" | "after";
  readonly #inside: boolean;
  #held = "";
  /** White space that is thinking if more of it follows. */
  #space = "";

  /** What stands behind it, of what follows nothing is taken then; null where that is any white space. */
  readonly #gap: string | null;

  /**
   * `inside`: the prompt, or the answer's beginning, has opened it. `call`: what announces a call of a
   * tool. `gap`: what stands between it and a form, which may begin with white space of its own.
   */
  constructor(
    thinking: Thinking,
    inside: boolean,
    call: string | null = null,
    gap: string | null = null,
  ) {
    this.#gap = gap;
    this.#thinking = thinking;
    this.#inside = inside;
    this.#ends = call === null || call === "" ? [] : [call];
    this.#place = "start";
  }

  /** Whether what comes next is thinking. */
  get inside(): boolean {
    return this.#place === "inside" || (this.#place === "start" && this.#inside);
  }

  /** UTF-16 units at the end of what was pushed that can't be judged yet. */
  get behind(): number {
    return this.#held.length;
  }

  push(text: string): Thought[] {
    if (this.#place === "after") return text === "" ? [] : [{ kind: "content", text }];
    this.#held += text;
    const out: Thought[] = [];
    if (this.#place === "start") this.#begin();
    if (this.#place === "inside") this.#think(out);
    if (this.#place === "closed" && this.#follow()) this.#place = "after";
    if (this.#place === "after") this.#give(out);
    return out;
  }

  /** What was held back, when the answer ends. */
  end(): Thought[] {
    const out: Thought[] = [];
    if (this.inside) this.#reason(this.#held, out);
    else if (this.#place === "start") this.#give(out);
    this.#held = "";
    return out;
  }

  /** Takes what stands behind thinking; false while that may go on. */
  #follow(): boolean {
    const gap = this.#gap;
    if (gap === null ? this.#held.trimStart() === "" : isBeginning(this.#held, gap)) return false;
    if (gap === null) this.#held = this.#held.trimStart();
    else if (this.#held.startsWith(gap)) this.#held = this.#held.slice(gap.length);
    return true;
  }

  #begin(): void {
    const { open } = this.#thinking;
    // In front of a form no white space of thinking's own may come: it is the form's.
    const isForm = this.#gap !== null && !this.#inside;
    const begun = isForm ? this.#held : this.#held.trimStart();
    if (begun.length < open.length && open.startsWith(begun)) return;
    if (begun.startsWith(open)) {
      this.#held = begun.slice(open.length);
      this.#place = "inside";
    } else this.#place = this.#inside ? "inside" : "after";
  }

  #think(out: Thought[]): void {
    const marks = [this.#thinking.close, ...this.#ends];
    const at = Math.min(...marks.map((mark) => findMarker(this.#held, mark)));
    this.#reason(this.#held.slice(0, at), out);
    this.#held = this.#held.slice(at);
    const mark = marks.find((each) => this.#held.startsWith(each));
    if (mark === undefined) return;
    if (mark === this.#thinking.close) this.#held = this.#held.slice(mark.length);
    this.#place = "closed";
  }

  #reason(text: string, out: Thought[]): void {
    const all = this.#space + text;
    const words = all.trimEnd();
    this.#space = words === "" && !this.#reasoned ? "" : all.slice(words.length);
    const said = this.#reasoned ? words : words.trimStart();
    if (said === "") return;
    this.#reasoned = true;
    out.push({ kind: "reasoning", text: said });
  }

  /** Some of its thinking was given. */
  #reasoned = false;

  #give(out: Thought[]): void {
    if (this.#held !== "") out.push({ kind: "content", text: this.#held });
    this.#held = "";
  }
}

/** Whether a text could still become one that begins with the other. */
function isBeginning(text: string, other: string): boolean {
  return text.length < other.length && other.startsWith(text);
}
