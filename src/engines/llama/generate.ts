import type { LlamaContextSequence, LlamaModel, Token } from "node-llama-cpp";
import type { FinishReason, GenerateOptions } from "../protocol.ts";
import { AnswerText } from "./answer-text.ts";
import { reproducibleChunk } from "./prefill-pace.ts";
import type { Prompt } from "./prompts.ts";
import { evaluateOptions } from "./sampling.ts";
import { Seam } from "./seam.ts";
import type { Vocabulary } from "./tokens.ts";

/** What one sampled token added to the answer. */
export interface Step {
  readonly text: string;
  readonly finish: FinishReason | null;
  readonly completionTokens: number;
}

type TokenStream = ReturnType<LlamaContextSequence["evaluateWithMetadata"]>;

/** One answer being made on one sequence: its prompt is evaluated in chunks, then a token a step. */
export class Generation {
  /** What is evaluated before the first token is sampled. */
  readonly prompt: readonly Token[];
  /** Tokens of the whole prompt, the beginning of the answer included. */
  readonly promptTokens: number;
  /** What the answer is to. */
  readonly #head: readonly Token[];
  /** The answer: its beginning, and what was sampled. */
  readonly #answer: Token[];
  readonly #seam: Seam<Token>;
  #completionTokens = 0;
  readonly #options: GenerateOptions;
  readonly #limit: number;
  readonly #model: LlamaModel;
  readonly #vocabulary: Vocabulary;
  readonly #text: AnswerText;
  #evaluated = 0;
  #stream: TokenStream | null = null;

  /** `limit` is the most tokens this answer may have: the request's or what is left of the context. */
  constructor(
    prompt: Prompt,
    limit: number,
    options: GenerateOptions,
    model: LlamaModel,
    vocabulary: Vocabulary,
  ) {
    const { tokens, begun } = prompt;
    const head = tokens.length - begun;
    this.#head = tokens.slice(0, head);
    const { temperature, topK } = options.sampling;
    const likeliest = temperature === 0 || topK === 1;
    this.#seam = new Seam(tokens.slice(head), head === 0 ? 1 : 0, likeliest, vocabulary);
    this.prompt = tokens.slice(0, tokens.length - this.#seam.taken);
    this.promptTokens = tokens.length;
    this.#answer = this.prompt.slice(head);
    this.#limit = limit;
    this.#options = options;
    this.#model = model;
    this.#vocabulary = vocabulary;
    this.#text = new AnswerText(options.stop, options.prefill ?? "");
  }

  /** Whether part of the prompt is still to be evaluated. */
  get prefilling(): boolean {
    return this.#stream === null;
  }

  /** The first `count` tokens of the prompt are in the sequence already. */
  begin(count: number): void {
    this.#evaluated = count;
  }

  get reproducible(): boolean {
    return this.#options.reproducible;
  }

  /** Evaluates about `wanted` more tokens of the prompt; the last chunk brings the first token. */
  async prefill(sequence: LlamaContextSequence, wanted: number): Promise<Step | null> {
    const left = this.prompt.length - this.#evaluated;
    const size = this.reproducible ? reproducibleChunk(wanted, left) : wanted;
    const chunk = this.prompt.slice(this.#evaluated, this.#evaluated + size);
    this.#evaluated += chunk.length;
    if (this.#evaluated < this.prompt.length) {
      await sequence.evaluateWithoutGeneratingNewTokens(chunk);
      return null;
    }
    const seam = this.#seam;
    const allowed = () => (seam.open ? seam.allowed() : null);
    const history = {
      prompt: this.#head,
      generated: this.#answer,
      allowed: seam.open ? allowed : null,
    };
    const options = evaluateOptions(
      this.#options.sampling,
      history,
      this.#model,
      sequence.contextSize,
    );
    this.#stream = sequence.evaluateWithMetadata(chunk, {}, options);
    return this.#next(this.#stream);
  }

  /** Samples one more token. */
  async decode(): Promise<Step> {
    if (this.#stream === null) throw new Error("decode before the prompt was evaluated");
    return this.#next(this.#stream);
  }

  /** Frees the sampler. */
  async end(): Promise<void> {
    await this.#stream?.return();
  }

  async #next(stream: TokenStream): Promise<Step> {
    const { value } = await stream.next();
    if (typeof value !== "object") throw new Error("the engine sampled no token");
    return this.#accept(value.token);
  }

  #accept(token: Token): Step {
    this.#answer.push(token);
    const again = this.#seam.open;
    const bytes = this.#seam.take(this.#vocabulary.bytes(token));
    // A token that only says again what was there is no more of the answer.
    if (!again || bytes.length > 0) this.#completionTokens++;
    const completionTokens = this.#completionTokens;
    if (this.#vocabulary.isEndOfGeneration(token))
      return { text: this.#text.end(), finish: "stop", completionTokens };
    const { emit, stopped } = this.#text.push(bytes);
    if (stopped) return { text: emit, finish: "stop", completionTokens };
    if (completionTokens < this.#limit) return { text: emit, finish: null, completionTokens };
    return { text: emit + this.#text.end(), finish: "length", completionTokens };
  }
}
