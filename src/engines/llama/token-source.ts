import type {
  LlamaContextSequence,
  SequenceEvaluateOptions,
  SequenceEvaluateOutput,
  Token,
} from "node-llama-cpp";
import type { ScoredToken } from "../protocol.ts";

/** One answer's tokens, each after the one before has been evaluated. */
export interface TokenSource {
  next(): Promise<Taken>;
  /** Frees the sampler. */
  end(): Promise<void>;
}

/** A token, and its score where that was asked for. */
export interface Taken {
  readonly token: Token;
  readonly score: ScoredToken | null;
}

/** Probabilities of all tokens, the likeliest first, as the library gives them. */
export type Probabilities = ReadonlyMap<Token, number>;

type Stream<Metadata extends { readonly probabilities?: true }> = AsyncGenerator<
  SequenceEvaluateOutput<Metadata>,
  void,
  // biome-ignore lint/suspicious/noConfusingVoidType: the library's own type
  void | Token | Token[]
>;

/** Tokens that the library samples by itself. */
export class SampledTokens implements TokenSource {
  readonly #stream: Stream<Readonly<Record<never, never>>>;

  /** `tokens`: the last of the prompt. */
  constructor(
    sequence: LlamaContextSequence,
    tokens: readonly Token[],
    options: SequenceEvaluateOptions,
  ) {
    this.#stream = sequence.evaluateWithMetadata([...tokens], {}, options);
  }

  async next(): Promise<Taken> {
    const { value } = await this.#stream.next();
    if (typeof value !== "object") throw new Error("the engine sampled no token");
    return { token: value.token, score: null };
  }

  async end(): Promise<void> {
    await this.#stream.return();
  }
}

/** Tokens that are chosen here, from the probabilities of all of them. */
export class ChosenTokens implements TokenSource {
  readonly #stream: Stream<{ readonly probabilities: true }>;
  readonly #choose: (probabilities: Probabilities) => Taken;
  #last: Token | undefined;

  constructor(
    sequence: LlamaContextSequence,
    tokens: readonly Token[],
    options: SequenceEvaluateOptions,
    choose: (probabilities: Probabilities) => Taken,
  ) {
    this.#stream = sequence.evaluateWithMetadata([...tokens], { probabilities: true }, options);
    this.#choose = choose;
  }

  async next(): Promise<Taken> {
    const { value } = await this.#stream.next(this.#last);
    if (typeof value !== "object") throw new Error("the engine gave no probabilities");
    const taken = this.#choose(value.probabilities);
    this.#last = taken.token;
    return taken;
  }

  async end(): Promise<void> {
    await this.#stream.return();
  }
}
