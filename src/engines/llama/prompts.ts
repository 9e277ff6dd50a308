import type { Token } from "node-llama-cpp";
import { GatewayError } from "../../contract/errors.ts";
import type { GenerateOptions, PromptSource } from "../protocol.ts";
import type { PromptPiece } from "./protected-text.ts";
import type { ChatTemplate } from "./template.ts";
import type { Vocabulary } from "./tokens.ts";

/** Tokenising a million characters takes 0.3 s, in which nobody gets a token. */
const LONGEST_TEXT = 2 ** 20;

/** Turns what callers send into the tokens a model reads. */
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
  forAnswer(options: GenerateOptions): Token[] {
    const read = this.#read(options.prompt);
    if (read.pieces !== null) {
      // No token stands for more characters than the longest one has: far too long needs no counting.
      const least = Math.ceil(length(read.pieces) / this.#vocabulary.longestToken);
      if (least >= this.#contextSize)
        throw tooLong(this.#contextSize, `at least ${least}`, options);
    }
    const tokens = this.#tokens(read);
    if (tokens.length >= this.#contextSize)
      throw tooLong(this.#contextSize, `${tokens.length}`, options);
    if (tokens.length === 0)
      throw new GatewayError("invalid_request", "The prompt is empty.", { param: "prompt" });
    return tokens;
  }

  encode(prompt: PromptSource): Token[] {
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

  #tokens(read: Read): Token[] {
    if (read.pieces === null) return read.tokens;
    const { pieces, addSpecialTokens, param } = read;
    if (length(pieces) > LONGEST_TEXT)
      throw new GatewayError(
        "invalid_request",
        `The text is too long: it may have up to ${LONGEST_TEXT} characters.`,
        { param },
      );
    return this.#vocabulary.encode(pieces, addSpecialTokens);
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

/** In OpenAI's words, which clients look for. */
function tooLong(contextSize: number, tokens: string, { prompt }: GenerateOptions): GatewayError {
  const chat = prompt.kind === "chat";
  const what = chat ? "messages" : "prompt";
  return new GatewayError(
    "context_length_exceeded",
    `This model's maximum context length is ${contextSize} tokens. However, your ${what} resulted in ${tokens} tokens. Please reduce the length of the ${what}.`,
    { param: what },
  );
}
