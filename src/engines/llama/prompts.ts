import type { Token } from "node-llama-cpp";
import { GatewayError } from "../../contract/errors.ts";
import { LONGEST_TEXT, textTooLong, tooLong } from "../prompt-limits.ts";
import type { PromptSource } from "../protocol.ts";
import type { PromptPiece } from "./protected-text.ts";
import type { ChatTemplate } from "./template.ts";
import type { Vocabulary } from "./tokens.ts";

/** Turns what callers send into the tokens a model reads. Each yield is a place for other work. */
export class Prompts {
  readonly #vocabulary: Vocabulary;
  readonly #template: ChatTemplate | null;
  readonly #contextSize: number;

  constructor(vocabulary: Vocabulary, template: ChatTemplate | null, contextSize: number) {
    this.#vocabulary = vocabulary;
    this.#template = template;
    this.#contextSize = contextSize;
  }

  /** A prompt that leaves room for an answer of at least one token; else `context_length_exceeded`. */
  *forAnswer(prompt: PromptSource): Generator<void, Token[], void> {
    const read = this.#read(prompt);
    if (read.pieces !== null) {
      // Every piece is a token at least, and no token stands for more characters than the longest one has.
      const characters = Math.ceil(length(read.pieces) / this.#vocabulary.longestToken);
      const least = Math.max(characters, read.pieces.length);
      if (least >= this.#contextSize) throw tooLong(this.#contextSize, prompt, `at least ${least}`);
    }
    const tokens = yield* this.#tokens(read);
    if (tokens.length >= this.#contextSize) throw tooLong(this.#contextSize, prompt, tokens.length);
    if (tokens.length === 0)
      throw new GatewayError("invalid_request", "The prompt is empty.", { param: "prompt" });
    return tokens;
  }

  encode(prompt: PromptSource): Generator<void, Token[], void> {
    return this.#tokens(this.#read(prompt));
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

  #read(prompt: PromptSource): Read {
    if (prompt.kind === "tokens")
      return { pieces: null, tokens: prompt.tokens.map((token) => this.checked(token, "prompt")) };
    if (prompt.kind === "text") {
      const { text, addSpecialTokens } = prompt;
      return { pieces: [{ text, literal: false }], addSpecialTokens, param: "prompt" };
    }
    if (this.#template !== null)
      return { pieces: this.#template.render(prompt), addSpecialTokens: true, param: "messages" };
    throw new GatewayError(
      "invalid_request",
      "This model has no chat template: use /v1/completions instead.",
      { param: "messages" },
    );
  }

  *#tokens(read: Read): Generator<void, Token[], void> {
    if (read.pieces === null) return read.tokens;
    const { pieces, addSpecialTokens, param } = read;
    if (length(pieces) > LONGEST_TEXT) throw textTooLong(LONGEST_TEXT, param);
    return yield* this.#vocabulary.encode(pieces, addSpecialTokens);
  }
}

/** A prompt before it is tokenised, if it has to be. */
type Read =
  | { readonly pieces: null; readonly tokens: Token[] }
  | {
      readonly pieces: readonly PromptPiece[];
      readonly addSpecialTokens: boolean;
      readonly param: string;
    };

function length(pieces: readonly PromptPiece[]): number {
  return pieces.reduce((sum, { text }) => sum + text.length, 0);
}
