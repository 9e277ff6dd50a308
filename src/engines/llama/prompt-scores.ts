import type { LlamaContextSequence, Token } from "node-llama-cpp";
import type { ScoredToken } from "../protocol.ts";
import { type Distribution, readProbabilities } from "../sampling/distribution.ts";
import { scoreOf } from "./score.ts";
import type { Probabilities } from "./token-source.ts";
import type { Vocabulary } from "./tokens.ts";

/** Tokens whose distributions are held at once: each has the size of the vocabulary. */
const AT_ONCE = 8;

const WHOLE = {
  generateNext: {
    probabilities: true,
    options: { temperature: 1, topK: 0, topP: 1, minP: 0 },
  },
} as const;

/** What the model thinks of each token of a prompt. The first one follows nothing, and has no score. */
export class PromptScores {
  readonly scores: ScoredToken[] = [];
  readonly #prompt: readonly Token[];
  readonly #parts: readonly Uint8Array[];
  readonly #top: number;
  readonly #vocabulary: Vocabulary;
  readonly #room: Distribution;

  constructor(prompt: readonly Token[], top: number, vocabulary: Vocabulary, room: Distribution) {
    this.#prompt = prompt;
    this.#parts = vocabulary.parts(prompt);
    this.#top = top;
    this.#vocabulary = vocabulary;
    this.#room = room;
    this.#add(null);
  }

  /** Evaluates a part of the prompt, which ends before its last token. */
  async evaluate(sequence: LlamaContextSequence, tokens: readonly Token[]): Promise<void> {
    for (let from = 0; from < tokens.length; from += AT_ONCE) {
      const some = tokens.slice(from, from + AT_ONCE);
      const results = await sequence.controlledEvaluate(some.map((token) => [token, WHOLE]));
      for (const result of results) this.#add(result?.next?.probabilities ?? null);
    }
  }

  #add(probabilities: Probabilities | null): void {
    const at = this.scores.length;
    const token = this.#prompt[at];
    if (token === undefined) return;
    if (probabilities !== null) readProbabilities(probabilities, this.#room);
    const distribution = probabilities === null ? null : this.#room;
    this.scores.push(scoreOf(token, distribution, this.#top, this.#vocabulary, this.#parts[at]));
  }
}
