import { says } from "../../lib/says.ts";
import type { JsonObject, StreamEvent } from "../../types.ts";
import type { Seam } from "./seam.ts";
import {
  deltaOf,
  FOLLOWED,
  reasoningOf,
  type SentChoice,
  type SentTool,
  type ToolPiece,
  type Transcript,
  textOf,
  toolPieces,
} from "./transcript.ts";

type Choice = StreamEvent["choices"][number];

/** The answer made anew is not the one whose beginning was sent. */
export class Mismatch extends Error {
  override readonly name = "Mismatch";
}

/**
 * For an answer that is made anew from its beginning: leaves out what was sent, as long as it is the
 * same, piece by piece whatever the pieces are. A tool call keeps the id and index it was sent with.
 * Reasoning is compared only where nothing else was sent yet.
 */
export class RestartSeam implements Seam {
  /** What of each choice is still to come again. */
  readonly #left = new Map<number, Left>();
  /** Choices whose reasoning is over. */
  readonly #silenced = new Set<number>();

  constructor(transcript: Transcript) {
    for (const [index, sent] of transcript.choices) {
      const begun = sent.text !== "" || sent.refusal !== "" || sent.tools.size > 0;
      if (begun) this.#silenced.add(index);
      this.#left.set(index, leftOf(sent, begun));
    }
  }

  get passed(): boolean {
    for (const left of this.#left.values()) if (!isPassed(left)) return false;
    return true;
  }

  take(event: StreamEvent): StreamEvent | null {
    const choices = event.choices
      .map((choice) => this.#choice(choice))
      .filter((each) => each !== null);
    if (choices.length === 0 && event.usage === undefined) return null;
    return { ...event, choices } as StreamEvent;
  }

  #choice(choice: Choice): Choice | null {
    const left = this.#left.get(choice.index);
    if (left === undefined) return choice;
    // An event of its own, such as one that was held back, can come after a choice's end.
    if (left.finished) return null;
    const next = "delta" in choice ? this.#delta(choice, left) : this.#text(choice, left);
    const ends = typeof choice.finish_reason === "string";
    if (ends && !isPassed(left)) throw new Mismatch("It ended before what was sent.");
    return next === null && !ends ? null : (next ?? emptied(choice));
  }

  #text(choice: Choice, left: Left): Choice | null {
    const sent = textOf(choice);
    const fresh = rest(left, "text", sent);
    if (fresh === "") return null;
    return fresh === sent ? choice : ({ ...choice, text: fresh, logprobs: null } as Choice);
  }

  #delta(choice: Choice, left: Left): Choice | null {
    const delta = deltaOf(choice);
    const fresh: JsonObject = {};
    const reasons = !this.#silenced.has(choice.index);
    if (reasons && left.reasoning === "" && says(delta.reasoning_details)) {
      fresh.reasoning_details = delta.reasoning_details;
    }
    const reasoning = reasons ? rest(left, "reasoning", reasoningOf(delta)) : "";
    if (reasoning !== "") {
      fresh.reasoning = reasoning;
      fresh.reasoning_content = reasoning;
    }
    const text = restAtEnd(left, "text", textOf(choice));
    if (text !== "") fresh.content = text;
    const refusal = restAtEnd(
      left,
      "refusal",
      typeof delta.refusal === "string" ? delta.refusal : "",
    );
    if (refusal !== "") fresh.refusal = refusal;
    const pieces = toolPieces(delta)
      .map((piece) => toolRest(left, piece))
      .filter((piece) => piece !== null);
    if (pieces.length > 0) fresh.tool_calls = pieces;
    if (isPassed(left)) {
      // Of these nothing was sent, or there would be no seam.
      for (const name in delta) {
        if (!FOLLOWED.has(name) && says(delta[name])) fresh[name] = delta[name];
      }
    }
    if (Object.keys(fresh).length === 0) return null;
    const whole = text === textOf(choice);
    return { ...choice, delta: fresh, ...(whole ? {} : { logprobs: null }) } as Choice;
  }
}

interface Left extends Omit<SentChoice, "tools"> {
  readonly tools: ReadonlyMap<number, SentTool>;
}

function leftOf(sent: SentChoice, begun: boolean): Left {
  if (sent.finished) {
    return { text: "", reasoning: "", refusal: "", tools: new Map(), finished: true };
  }
  const tools = [...sent.tools].map(([at, tool]) => [at, { ...tool }] as const);
  return { ...sent, tools: new Map(tools), reasoning: begun ? "" : sent.reasoning };
}

function isPassed(left: Left): boolean {
  if (left.text !== "" || left.reasoning !== "" || left.refusal !== "") return false;
  for (const tool of left.tools.values()) {
    if (tool.name !== "" || tool.arguments !== "") return false;
  }
  return true;
}

/** Takes `text` off the beginning of what is left to come, and returns what goes beyond it. */
function rest<Name extends string>(left: Record<Name, string>, name: Name, text: string): string {
  const expected = left[name];
  if (text === "" || expected === "") return text;
  if (expected.startsWith(text)) {
    left[name] = expected.slice(text.length) as Record<Name, string>[Name];
    return "";
  }
  if (!text.startsWith(expected)) throw new Mismatch("It differs from what was sent.");
  left[name] = "" as Record<Name, string>[Name];
  return text.slice(expected.length);
}

/** As `rest`, of what can only go on when all else that was sent has come. */
function restAtEnd(left: Left, name: "text" | "refusal", text: string): string {
  const fresh = rest(left, name, text);
  if (fresh !== "" && !isPassed(left)) throw tooEarly();
  return fresh;
}

function tooEarly(): Mismatch {
  return new Mismatch("It went on before all that was sent had come.");
}

/** A piece of a tool call without what was sent of it; a call that was not begun goes through as it is. */
function toolRest(left: Left, piece: ToolPiece): JsonObject | null {
  const tool = left.tools.get(piece.index);
  if (tool === undefined) {
    if (!isPassed(left)) throw tooEarly();
    return { ...piece.sent, index: piece.index };
  }
  const name = rest(tool, "name", piece.name);
  const more = rest(tool, "arguments", piece.arguments);
  if (name === "" && more === "") return null;
  if (name !== "" && tool.named) {
    throw new Mismatch("It calls another tool than the one that was sent.");
  }
  if (!isPassed(left)) throw tooEarly();
  return {
    index: piece.index,
    function: { ...(name === "" ? {} : { name }), ...(more === "" ? {} : { arguments: more }) },
  };
}

/** Only the end of the choice is new. */
function emptied(choice: Choice): Choice {
  const nothing = "delta" in choice ? { delta: {} } : { text: "" };
  return { ...choice, ...nothing, logprobs: null } as Choice;
}
