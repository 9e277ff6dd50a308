import type { LlamaContextSequence, LlamaModel, Token } from "node-llama-cpp";
import type { Guide } from "../guided/guide.ts";
import type { FinishReason, GenerateOptions, ScoredToken } from "../protocol.ts";
import { heldBack } from "../sampling/endings.ts";
import { isNative } from "../sampling/native.ts";
import type { SamplerHistory } from "../sampling/seen-tokens.ts";
import { AnswerText } from "./answer-text.ts";
import { Chooser, type ChoosingRoom } from "./choose.ts";
import { reproducibleChunk } from "./prefill-pace.ts";
import { PromptScores } from "./prompt-scores.ts";
import type { Prompt } from "./prompts.ts";
import { evaluateOptions } from "./sampling.ts";
import { ScoredText } from "./scored-text.ts";
import { Seam } from "./seam.ts";
import type { Reuse } from "./slots.ts";
import { ChosenTokens, SampledTokens, type Taken, type TokenSource } from "./token-source.ts";
import type { Vocabulary } from "./tokens.ts";

/** What one step added to the answer. */
export interface Step {
  readonly text: string;
  readonly scores: readonly ScoredToken[];
  readonly finish: FinishReason | null;
  readonly completionTokens: number;
  /** The prompt, with the first step of an answer that begins with it. */
  readonly echo: { readonly text: string; readonly scores: readonly ScoredToken[] } | null;
}

/** What all answers of one model are made with. */
export interface Workshop {
  readonly model: LlamaModel;
  readonly vocabulary: Vocabulary;
  readonly room: ChoosingRoom;
  /** Tokens that a prompt and its answer may have together. */
  readonly contextSize: number;
}

/** One answer being made on one sequence: its prompt is evaluated in chunks, then a token a step. */
export class Generation {
  /** What is evaluated before the first token is sampled. */
  readonly prompt: readonly Token[];
  /** Tokens of the whole prompt, the beginning of the answer included. */
  readonly promptTokens: number;
  /** The answer goes on inside of its thinking. */
  readonly thinking: boolean;
  /** It has its form at once, though some thinking was to come first. */
  readonly formAtOnce: boolean;
  /** The prompt's own scores, as far as it is evaluated; null unless they are asked for. */
  readonly promptScores: PromptScores | null;
  /** What the answer is to. */
  readonly #head: readonly Token[];
  /** The answer: its beginning, and what was sampled. */
  readonly #answer: Token[];
  readonly #seam: Seam<Token>;
  readonly #options: GenerateOptions;
  readonly #limit: number;
  readonly #workshop: Workshop;
  /** Null where the library's own samplers do. */
  readonly #chooser: Chooser | null;
  readonly #text: AnswerText;
  readonly #scored: ScoredText | null;
  readonly #stopTokens: ReadonlySet<number>;
  readonly #guide: Guide | null;
  /** Inside of a form, or a call, which ends where its guide lets it. */
  #inForm: boolean;
  #completionTokens = 0;
  #evaluated = 0;
  #source: TokenSource | null = null;
  #prefilled = false;
  #echoed = false;

  /** `limit` is the most tokens this answer may have: the request's or what is left of the context. */
  constructor(
    { tokens, begun, thinking, formAtOnce }: Prompt & { readonly formAtOnce: boolean },
    limit: number,
    options: GenerateOptions,
    guide: Guide | null,
    workshop: Workshop,
  ) {
    const { vocabulary } = workshop;
    const { sampling, logprobs, stop, prefill, echo } = options;
    const head = tokens.length - begun;
    this.#head = tokens.slice(0, head);
    const likeliest = sampling.temperature === 0 || sampling.topK === 1;
    // What a guide let through so far was told to it as it is: nothing of that is made again.
    const kept = guide === null ? (head === 0 ? 1 : 0) : begun;
    this.#seam = new Seam(tokens.slice(head), kept, likeliest, vocabulary);
    this.prompt = tokens.slice(0, tokens.length - this.#seam.taken);
    this.promptTokens = tokens.length;
    this.thinking = thinking;
    this.formAtOnce = formAtOnce;
    this.#answer = this.prompt.slice(head);
    this.#limit = limit;
    this.#options = options;
    this.#workshop = workshop;
    const chosen = guide !== null || logprobs !== null || !isNative(sampling);
    this.#chooser = chosen
      ? new Chooser(workshop.room, sampling, guide, logprobs, this.#seam.open)
      : null;
    this.#text = new AnswerText(stop, prefill ?? "", sampling.includeStop);
    this.#scored = logprobs === null ? null : new ScoredText();
    this.promptScores =
      echo && logprobs !== null
        ? new PromptScores(this.prompt, logprobs, vocabulary, workshop.room.distribution)
        : null;
    this.#stopTokens = new Set(sampling.stopTokens);
    this.#guide = guide;
    this.#inForm = guide?.complete === false;
  }

  /** Whether part of the prompt is still to be evaluated. */
  get prefilling(): boolean {
    return !this.#prefilled;
  }

  /** Tokens of the prompt that are still to be evaluated. */
  get unread(): number {
    return this.prompt.length - this.#evaluated;
  }

  get reuse(): Reuse {
    if (this.promptScores !== null) return "none";
    return this.reproducible ? "reproducible" : "any";
  }

  /** Tokens from the prompt's beginning that were evaluated as a reproducible prompt. */
  get reproducibleTokens(): number {
    return this.reuse === "reproducible" ? this.#evaluated : 0;
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
    const chunk = this.#chunk(wanted);
    const isLast = this.#evaluated === this.prompt.length;
    const scores = this.promptScores;
    if (scores !== null) await scores.evaluate(sequence, isLast ? chunk.slice(0, -1) : chunk);
    else if (!isLast) await sequence.evaluateWithoutGeneratingNewTokens([...chunk]);
    if (!isLast) return null;
    this.#prefilled = true;
    if (this.#limit === 0) return this.#step("", "length", false);
    this.#source = this.#begin(sequence, scores === null ? chunk : chunk.slice(-1));
    return this.#accept(await this.#source.next());
  }

  /** Samples one more token. */
  async decode(): Promise<Step> {
    if (this.#source === null) throw new Error("decode before the prompt was evaluated");
    return this.#accept(await this.#source.next());
  }

  /** Frees the sampler. */
  async end(): Promise<void> {
    await this.#source?.end();
  }

  #chunk(wanted: number): readonly Token[] {
    const left = this.prompt.length - this.#evaluated;
    const size = this.reproducible ? reproducibleChunk(wanted, left) : wanted;
    const chunk = this.prompt.slice(this.#evaluated, this.#evaluated + size);
    this.#evaluated += chunk.length;
    return chunk;
  }

  #begin(sequence: LlamaContextSequence, last: readonly Token[]): TokenSource {
    const seam = this.#seam;
    const chooser = this.#chooser;
    const { sampling } = this.#options;
    const { model } = this.#workshop;
    const only = () => (seam.open ? seam.allowed() : null);
    if (chooser === null) {
      const allowed = seam.open ? only : null;
      const history = { prompt: this.#head, generated: this.#answer, allowed, ...this.#held() };
      const options = evaluateOptions(sampling, history, model, sequence.contextSize);
      return new SampledTokens(sequence, last, options);
    }
    return new ChosenTokens(sequence, last, chooser.options, (probabilities) =>
      chooser.choose(probabilities, this.#history(), only()),
    );
  }

  #held(): { readonly held?: () => readonly Token[] } {
    const { vocabulary, room } = this.#workshop;
    const held = heldBack(this.#options.sampling, room.endTokens, (token) => vocabulary.has(token));
    return held === null ? {} : { held: () => held(this.#completionTokens) };
  }

  #history(): SamplerHistory {
    return {
      prompt: this.#head,
      generated: this.#answer,
      completionTokens: this.#completionTokens,
    };
  }

  #accept({ token, score }: Taken): Step {
    const { vocabulary, contextSize } = this.#workshop;
    const { sampling } = this.#options;
    this.#answer.push(token);
    const again = this.#seam.open;
    const isEnd = vocabulary.isEndOfGeneration(token);
    const ends = isEnd || (!this.#inForm && this.#stopTokens.has(token));
    this.#inForm = this.#guide?.complete === false;
    // The model's own end is a special token, and no part of a form whatever is asked for.
    const unsaid = isEnd && (sampling.skipSpecialTokens || this.#options.guide !== null);
    const left = ends && (!sampling.includeStop || unsaid);
    // A completion's text has nothing that isn't read as a chat's is.
    const sealed = this.#options.prompt.kind === "chat" ? vocabulary.sealed(token) : null;
    const shown = left ? new Uint8Array() : vocabulary.bytes(token, !sampling.skipSpecialTokens);
    const own = sealed ?? shown;
    const bytes = this.#seam.take(own);
    // A token that only says again what was there is no more of the answer.
    if (!again || bytes.length > 0) this.#completionTokens++;
    if (score !== null && !ends) this.#scored?.add(score, bytes);
    const mayEnd = this.#completionTokens > sampling.minTokens;
    const { emit, stopped } = this.#text.push(bytes, mayEnd, sealed !== null);
    if (stopped) return this.#step(emit, "stop", true);
    if (ends) return this.#step(emit + this.#text.end(), "stop", false);
    // What is made again may take more tokens than it took before.
    const isFull = this.#head.length + this.#answer.length >= contextSize;
    if (this.#completionTokens < this.#limit && !isFull) return this.#step(emit, null, false);
    return this.#step(emit + this.#text.end(), "length", false);
  }

  #step(text: string, finish: FinishReason | null, stopped: boolean): Step {
    const scores = this.#scored?.shown(text) ?? [];
    if (finish !== null) scores.push(...(this.#scored?.ended(stopped) ?? []));
    const echo = this.#echoed ? null : this.#echo();
    this.#echoed = true;
    return { text, scores, finish, completionTokens: this.#completionTokens, echo };
  }

  #echo(): Step["echo"] {
    const { echo, prompt } = this.#options;
    if (!echo) return null;
    const text =
      prompt.kind === "text" ? prompt.text : this.#workshop.vocabulary.decode(this.prompt);
    return { text, scores: this.promptScores?.scores ?? [] };
  }
}
