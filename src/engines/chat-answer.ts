import type { ChatDelta, ChatFinishReason } from "../contract/chat.ts";
import { StopMatcher } from "../lib/stop-matcher.ts";
import type { ChatFormat } from "./chat-format.ts";
import { HarmonyAnswer } from "./harmony/answer.ts";
import type { FinishReason } from "./protocol.ts";
import { GAP } from "./reasoning/first.ts";
import { type Thought, ThoughtReader } from "./reasoning/read-thoughts.ts";
import { argumentTypes } from "./tools/argument-types.ts";
import { CallReader, type SaidPiece } from "./tools/read-calls.ts";
import { triggerOf } from "./tools/syntax.ts";
import type { ToolUse } from "./tools/use.ts";

export type Said = SaidPiece | { readonly kind: "reasoning"; readonly text: string };

/** How an answer is read. */
export interface AnswerRules {
  readonly format: ChatFormat;
  readonly use: ToolUse | null;
  /** It goes on inside of its thinking. */
  readonly thinking: boolean;
  /** Some of it is there already: then thinking can't begin any more. */
  readonly begun: boolean;
  /** It has its form, or its call, behind thinking that it may have. */
  readonly thinksFirst: boolean;
  /** It has its form from its beginning on: what looks like thinking there is some of it. */
  readonly formAtOnce: boolean;
  /** What ends its words; looked for in nothing else. */
  readonly stop: readonly string[];
  /** What ends its thinking, and the answer. */
  readonly thoughtStop: readonly string[];
  /** What ended them is part of them. */
  readonly includeStop: boolean;
  /** Nothing ends them that is complete with so many tokens. */
  readonly minTokens: number;
}

/** Reads an answer while it comes. */
export interface AnswerReader {
  /** Whether what comes next is thinking. */
  readonly thinking: boolean;
  /** Nothing after this is part of the answer: its one call has ended, or its words have. */
  readonly over: boolean;
  /** Up to where in its text it is known what that is, in UTF-16 units: where it ended, when it is over. */
  readonly settled: number;
  /** More of its text; it has so many tokens with that. */
  push(text: string, completionTokens?: number): Said[];
  /** What was held back, at its end. `cut`: a limit ended it. */
  end(cut?: boolean): Said[];
  finish(reason: FinishReason): ChatFinishReason;
}

export function answerReader(rules: AnswerRules): AnswerReader {
  const { harmony } = rules.format;
  return harmony === null ? new ChatAnswer(rules) : new HarmonyAnswer(harmony, rules);
}

/**
 * Tells an answer's thinking, its words and its calls apart while it comes: first its thinking, then
 * calls in what is left, then what ends its words. However the text is cut, it comes to the same.
 */
export class ChatAnswer implements AnswerReader {
  readonly #thoughts: ThoughtReader | null;
  #calls: CallReader | null;
  readonly #stops: StopMatcher;
  readonly #thoughtStops: StopMatcher;
  readonly #use: ToolUse | null;
  /** Nothing announces calls. */
  readonly #bare: boolean;
  readonly #minTokens: number;
  #stopped = false;
  #ended = false;
  #pushed = 0;
  /** UTF-16 units that came after its end. */
  #unread = 0;

  constructor(rules: AnswerRules) {
    const { format, use, thinking, thinksFirst, stop, includeStop, minTokens } = rules;
    const trigger = use === null ? null : triggerOf(format.tools.syntax);
    const atOnce = rules.begun || rules.formAtOnce || (use?.required === true && !thinksFirst);
    const thinks = thinking || !atOnce;
    this.#thoughts =
      format.thinking !== null && thinks
        ? new ThoughtReader(
            format.thinking,
            thinking,
            thinksFirst ? null : trigger,
            thinksFirst ? GAP : null,
          )
        : null;
    this.#thoughtStops = new StopMatcher(rules.thoughtStop, includeStop);
    const stops = new StopMatcher(stop, includeStop);
    this.#stops = stops;
    this.#calls =
      use === null
        ? null
        : new CallReader(
            format.tools.syntax,
            use.callable,
            {
              required: use.required,
              begun: use.required && !thinksFirst,
              single: !use.parallel,
            },
            stops,
            argumentTypes(use),
          );
    this.#minTokens = minTokens;
    this.#use = use;
    this.#bare = trigger === "" && !thinksFirst;
  }

  get thinking(): boolean {
    return this.#thoughts?.inside === true;
  }

  get over(): boolean {
    const single = this.#use !== null && !this.#use.parallel;
    const stopped = this.#stopped || this.#calls?.stopped === true;
    return stopped || (single && this.#calls?.complete === true);
  }

  get settled(): number {
    const behind = this.#calls?.behind ?? this.#stops.behind;
    const thought = this.#thoughtStops.behind + (this.#thoughts?.behind ?? 0);
    return this.#pushed - this.#unread - behind - thought;
  }

  push(text: string, completionTokens = Number.POSITIVE_INFINITY): Said[] {
    this.#stops.ends = completionTokens > this.#minTokens;
    this.#thoughtStops.ends = this.#stops.ends;
    this.#pushed += text.length;
    const thoughts = this.#thoughts;
    if (thoughts === null) return this.#answer(text);
    return thoughts.push(text).flatMap((part) => this.#part(part));
  }

  end(cut = false): Said[] {
    if (this.#ended) return [];
    this.#ended = true;
    const out: Said[] = [];
    for (const part of this.#thoughts?.end() ?? []) out.push(...this.#part(part));
    out.push(...this.#lastThoughts());
    if (this.#calls !== null) out.push(...this.#calls.end(cut));
    const rest = this.over ? "" : this.#stops.flush();
    return rest === "" ? out : [...out, { kind: "content", text: rest }];
  }

  finish(reason: FinishReason): ChatFinishReason {
    if (reason !== "stop" || this.#calls === null || this.#calls.calls === 0) return reason;
    return this.#use?.legacy === true ? "function_call" : "tool_calls";
  }

  #part(part: Thought): Said[] {
    if (part.kind === "content") return [...this.#lastThoughts(), ...this.#answer(part.text)];
    if (this.over) {
      this.#unread += part.text.length;
      return [];
    }
    // What begins with thinking was not guided as a call that nothing announces.
    if (this.#bare) this.#calls = null;
    const { emit, stopped } = this.#thoughtStops.push(part.text);
    this.#stopped = stopped;
    return emit === "" ? [] : [{ kind: "reasoning", text: emit }];
  }

  #lastThoughts(): Said[] {
    const rest = this.#stopped ? "" : this.#thoughtStops.flush();
    return rest === "" ? [] : [{ kind: "reasoning", text: rest }];
  }

  #answer(text: string): Said[] {
    if (this.over) {
      this.#unread += text.length;
      return [];
    }
    if (this.#calls !== null) return this.#calls.push(text);
    const { emit, stopped } = this.#stops.push(text);
    this.#stopped = stopped;
    return emit === "" ? [] : [{ kind: "content", text: emit }];
  }
}

/** A piece of an answer as OpenAI's clients read it; thinking under both names that clients know. */
export function deltaOf(said: Said, newId: (index: number) => string, legacy: boolean): ChatDelta {
  switch (said.kind) {
    case "content":
      return { content: said.text };
    case "reasoning":
      return { reasoning_content: said.text, reasoning: said.text };
    case "call": {
      const { index, name } = said;
      const called = { name, arguments: "" };
      if (legacy) return { function_call: called };
      return { tool_calls: [{ index, id: newId(index), type: "function", function: called }] };
    }
    case "arguments": {
      const { index, text } = said;
      if (legacy) return { function_call: { arguments: text } };
      return { tool_calls: [{ index, function: { arguments: text } }] };
    }
  }
}

/**
 * All of an answer in one message. Its content is null where calls are all that it is, or was to be
 * (`calling`).
 */
export function messageOf(
  pieces: readonly Said[],
  newId: (index: number) => string,
  legacy: boolean,
  calling = false,
): { readonly [field: string]: unknown } {
  let content = "";
  let reasoning = "";
  const calls: { name: string; arguments: string }[] = [];
  for (const said of pieces) {
    if (said.kind === "content") content += said.text;
    else if (said.kind === "reasoning") reasoning += said.text;
    else if (said.kind === "call") calls.push({ name: said.name, arguments: "" });
    else {
      const call = calls[said.index];
      if (call !== undefined) call.arguments += said.text;
    }
  }
  const [first] = calls;
  const called = legacy
    ? { function_call: first }
    : {
        tool_calls: calls.map((call, index) => ({
          id: newId(index),
          type: "function",
          function: call,
        })),
      };
  return {
    role: "assistant",
    content: content === "" && (calling || first !== undefined) ? null : content,
    refusal: null,
    ...(reasoning === "" ? {} : { reasoning_content: reasoning, reasoning }),
    ...(first === undefined ? {} : called),
  };
}
