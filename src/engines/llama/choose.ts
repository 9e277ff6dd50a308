import type { LlamaModel, SequenceEvaluateOptions, Token } from "node-llama-cpp";
import type { Guide } from "../guided/guide.ts";
import { setBit } from "../guided/token-trie.ts";
import type { Sampling } from "../protocol.ts";
import { Candidates } from "../sampling/candidates.ts";
import { type Chain, createChain, needsLogits, type VocabularyFacts } from "../sampling/chain.ts";
import {
  createDistribution,
  type Distribution,
  readLogits,
  readProbabilities,
} from "../sampling/distribution.ts";
import type { SamplerHistory } from "../sampling/seen-tokens.ts";
import { ANCHOR_LOGIT, anchorOf, wholeDistribution } from "./sampling.ts";
import { scoreOf } from "./score.ts";
import type { Probabilities, Taken } from "./token-source.ts";
import type { Vocabulary } from "./tokens.ts";

/** What all answers of one model choose with; each choice is made in one go, so that they can share it. */
export class ChoosingRoom {
  readonly facts: VocabularyFacts;
  readonly endTokens: readonly Token[];
  readonly distribution: Distribution;
  readonly candidates: Candidates;
  /** A bit a token. */
  readonly mask: Uint32Array;
  readonly vocabulary: Vocabulary;
  readonly model: LlamaModel;
  /** See `wholeDistribution`. */
  readonly anchor: Token;

  constructor(vocabulary: Vocabulary, model: LlamaModel) {
    const { size, endTokens } = vocabulary;
    this.endTokens = endTokens;
    this.vocabulary = vocabulary;
    this.model = model;
    this.anchor = anchorOf(model);
    this.facts = {
      size,
      endOfGeneration: endTokens,
      bytes: (token) => (vocabulary.has(token) ? vocabulary.bytes(token) : new Uint8Array()),
    };
    this.distribution = createDistribution(size);
    this.candidates = new Candidates(size);
    this.mask = new Uint32Array(Math.ceil(size / 32));
  }
}

/** Chooses one answer's tokens out of what its guide allows, by its samplers. */
export class Chooser {
  readonly options: SequenceEvaluateOptions;
  readonly #room: ChoosingRoom;
  readonly #chain: Chain;
  readonly #guide: Guide | null;
  /** A bit a token; null where the request names none. */
  readonly #only: Uint32Array | null;
  readonly #inFull: boolean;
  readonly #logprobs: number | null;

  /**
   * `logprobs`: of how many other tokens the scores are told; null tells none. `seamed`: the first
   * tokens are made again.
   */
  constructor(
    room: ChoosingRoom,
    sampling: Sampling,
    guide: Guide | null,
    logprobs: number | null,
    seamed: boolean,
  ) {
    this.#room = room;
    const free = guide === null && logprobs === null && !seamed;
    this.options = wholeDistribution(sampling, room.model, free);
    this.#chain = createChain(sampling, room.facts, room.candidates);
    this.#guide = guide;
    this.#only = sampling.allowedTokens === null ? null : maskOf(sampling.allowedTokens, room.mask);
    this.#inFull = needsLogits(sampling);
    this.#logprobs = logprobs;
  }

  /**
   * The next token. `only`: those that a seam leaves, null for any. Throws where the guide has none,
   * or none that the model gives any probability.
   */
  choose(
    probabilities: Probabilities,
    history: SamplerHistory,
    only: ReadonlySet<Token> | null,
  ): Taken {
    const { distribution, anchor, vocabulary } = this.#room;
    if (this.#inFull) readLogits(probabilities, anchor, ANCHOR_LOGIT, distribution);
    else readProbabilities(probabilities, distribution);
    const chosen = this.#chain.next(distribution, history, this.#allowed(only));
    const token = vocabulary.known(chosen.token);
    this.#guide?.accept(token);
    if (this.#logprobs === null) return { token, score: null };
    return { token, score: scoreOf(token, distribution, this.#logprobs, vocabulary) };
  }

  #allowed(only: ReadonlySet<Token> | null): Uint32Array | null {
    // What is made again was chosen already.
    if (only !== null) return maskOf(only, this.#room.mask);
    if (this.#guide === null) return this.#only;
    const { mask } = this.#room;
    this.#guide.allow(mask);
    this.#only?.forEach((word, at) => {
      mask[at] = word & (mask[at] ?? 0);
    });
    return mask;
  }
}

/** @param like as long as the mask has to be */
function maskOf(tokens: Iterable<number>, like: Uint32Array): Uint32Array {
  const mask = new Uint32Array(like.length);
  for (const token of tokens) setBit(mask, token);
  return mask;
}
