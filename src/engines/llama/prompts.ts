import type { Token } from "node-llama-cpp";
import { GatewayError } from "../../contract/errors.ts";
import type { ChatFormat } from "../chat-format.ts";
import { FINAL_HEADER } from "../harmony/marks.ts";
import { LONGEST_TEXT, textTooLong, tooLong } from "../prompt-limits.ts";
import type { PromptSource } from "../protocol.ts";
import { inThinking, type Thinking } from "../reasoning/markers.ts";
import type { PromptPiece } from "./protected-text.ts";
import { SpecialTexts } from "./special-texts.ts";
import { answerPieces, type GuardedTemplate, type PromptParts } from "./template.ts";
import type { Vocabulary } from "./tokens.ts";

/** The tokens of a prompt, of which the last `begun` are the beginning of the answer. */
export interface Prompt {
  readonly tokens: readonly Token[];
  readonly begun: number;
  /** The answer goes on inside of its thinking. */
  readonly thinking: boolean;
  /** It has none so far, and may begin with it. */
  readonly mayThink: boolean;
}

/** Turns what callers send into the tokens a model reads. Each yield is a place for other work. */
export class Prompts {
  readonly #vocabulary: Vocabulary;
  readonly #specials: SpecialTexts;
  readonly #template: GuardedTemplate | null;
  readonly #contextSize: number;
  readonly #thinking: Thinking | null;
  /** What stands in front of an answer's words, where it may begin with something else. */
  readonly #answerHeader: string | null;

  constructor(
    vocabulary: Vocabulary,
    template: GuardedTemplate | null,
    contextSize: number,
    { thinking, harmony }: Pick<ChatFormat, "thinking" | "harmony">,
  ) {
    this.#vocabulary = vocabulary;
    this.#specials = new SpecialTexts(vocabulary.controlTexts);
    this.#template = template;
    this.#contextSize = contextSize;
    this.#thinking = thinking;
    this.#answerHeader = harmony === null ? null : FINAL_HEADER;
  }

  /** A prompt that leaves room for an answer of at least one token; else `context_length_exceeded`. */
  *forAnswer(source: PromptSource, prefill: string | null): Generator<void, Prompt, void> {
    const read = this.#read(source, prefill);
    // Every piece is a token at least, and no token stands for more characters than the longest one has.
    const characters = Math.ceil(length(read) / this.#vocabulary.longestToken);
    const least = Math.max(characters, read.head.length + read.begun.length);
    if (least >= this.#contextSize) throw tooLong(this.#contextSize, source, `at least ${least}`);
    const prompt = yield* this.#tokens(read);
    const { tokens } = prompt;
    if (tokens.length >= this.#contextSize) throw tooLong(this.#contextSize, source, tokens.length);
    if (tokens.length === 0)
      throw new GatewayError("invalid_request", "The prompt is empty.", { param: "prompt" });
    return prompt;
  }

  *encode(prompt: PromptSource): Generator<void, readonly Token[], void> {
    return (yield* this.#tokens(this.#read(prompt, null))).tokens;
  }

  /** Refuses a number that is no token of the model. */
  checked(token: number, param: string): Token {
    if (this.#vocabulary.has(token)) return token;
    throw new GatewayError(
      "invalid_request",
      `${token} is not a token of this model: its vocabulary has ${this.#vocabulary.size}.`,
      { param },
    );
  }

  #read(prompt: PromptSource, prefill: string | null): Read {
    const { ofAssistant } = this.#vocabulary;
    const added = prefill === null ? [] : answerPieces(prefill, this.#specials, ofAssistant);
    if (prompt.kind === "tokens") {
      const tokens = prompt.tokens.map((token) => this.checked(token, "prompt"));
      const none = {
        head: [],
        thinking: false,
        mayThink: false,
        addSpecialTokens: false,
        param: "prompt",
      };
      return { ...none, tokens, begun: added };
    }
    if (prompt.kind === "text") {
      const { text, addSpecialTokens } = prompt;
      const head = [{ text, literal: false }];
      const plain = {
        tokens: null,
        thinking: false,
        mayThink: false,
        addSpecialTokens,
        param: "prompt",
      };
      return { ...plain, head, begun: added };
    }
    if (this.#template === null)
      throw new GatewayError(
        "invalid_request",
        "This model has no chat template: use /v1/completions instead.",
        { param: "messages" },
      );
    const rendered = this.#template.render(prompt);
    const header = added.length === 0 || rendered.begun.length > 0 ? null : this.#answerHeader;
    const head = header === null ? [] : [{ text: header, literal: false }];
    const parts = this.#opened(
      { ...rendered, head: [...rendered.head, ...head] },
      added,
      prompt.opening,
    );
    return { ...parts, tokens: null, addSpecialTokens: true, param: "messages" };
  }

  /**
   * A rendered prompt up to where its answer goes on: an answer's beginning from elsewhere is none of
   * its thinking, and neither is what it has to open with.
   */
  #opened(
    { head, begun }: PromptParts,
    added: readonly PromptPiece[],
    opening: string | null,
  ): PromptParts & Pick<Prompt, "thinking" | "mayThink"> {
    const mark = this.#thinking;
    const inside = mark !== null && inThinking(mark, textOf(head), textOf(begun));
    const none = { thinking: false, mayThink: false };
    if (!inside && opening === null) {
      const fresh = mark !== null && begun.length === 0 && added.length === 0;
      const mayThink = fresh && !textOf(head).trimEnd().endsWith(mark.close);
      return { head, begun: [...begun, ...added], thinking: false, mayThink };
    }
    if (inside && opening === null && added.length === 0)
      return { head, begun, thinking: true, mayThink: false };
    const closed = inside ? `${mark.close}\n\n` : "";
    const piece = (text: string): PromptPiece[] => (text === "" ? [] : [{ text, literal: false }]);
    const parts =
      begun.length === 0
        ? { head: [...head, ...piece(closed)], begun: added }
        : { head, begun: [...begun, ...piece(closed), ...added] };
    const last = piece(opening ?? "");
    return parts.begun.length === 0
      ? { head: [...parts.head, ...last], begun: [], ...none }
      : { head: parts.head, begun: [...parts.begun, ...last], ...none };
  }

  /** An answer was made apart from its prompt, and so is its beginning tokenised: nothing joins across. */
  *#tokens(read: Read): Generator<void, Prompt, void> {
    if (length(read) > LONGEST_TEXT) throw textTooLong(LONGEST_TEXT, read.param);
    const { head, begun, addSpecialTokens } = read;
    const prompt = read.tokens ?? (yield* this.#vocabulary.encode(head, addSpecialTokens));
    const answer = yield* this.#vocabulary.encode(begun, false, prompt.length > 0);
    const { thinking, mayThink } = read;
    return { tokens: [...prompt, ...answer], begun: answer.length, thinking, mayThink };
  }
}

/** A prompt before it is tokenised, where it has to be. */
interface Read extends PromptParts, Pick<Prompt, "thinking" | "mayThink"> {
  /** Instead of a head, where the prompt came as tokens. */
  readonly tokens: readonly Token[] | null;
  readonly addSpecialTokens: boolean;
  readonly param: string;
}

function textOf(pieces: readonly PromptPiece[]): string {
  return pieces.map(({ text }) => text).join("");
}

function length({ head, begun }: PromptParts): number {
  const of = (pieces: readonly PromptPiece[]) =>
    pieces.reduce((sum, { text }) => sum + text.length, 0);
  return of(head) + of(begun);
}
