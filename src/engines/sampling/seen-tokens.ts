/** What is there already. Both lists may grow between two calls, and change in no other way. */
export interface SamplerHistory {
  readonly prompt: readonly number[];
  /** The whole answer, also what of it was there at the beginning. */
  readonly generated: readonly number[];
  /** Sampled tokens, as `min_tokens` counts them. */
  readonly completionTokens: number;
}

/** Which tokens an answer and its prompt have, and how often; each is counted once. */
export class SeenTokens {
  /** How often the answer has each token. */
  readonly inAnswer = new Map<number, number>();
  /** Tokens of prompt and answer. */
  readonly anywhere = new Set<number>();
  #ofPrompt = 0;
  #ofAnswer = 0;

  follow({ prompt, generated }: SamplerHistory): void {
    for (; this.#ofPrompt < prompt.length; this.#ofPrompt++)
      this.anywhere.add(prompt[this.#ofPrompt] ?? 0);
    for (; this.#ofAnswer < generated.length; this.#ofAnswer++) {
      const token = generated[this.#ofAnswer] ?? 0;
      this.anywhere.add(token);
      this.inAnswer.set(token, (this.inAnswer.get(token) ?? 0) + 1);
    }
  }
}

/** The last `count` tokens of prompt and answer, in order; null for all of them. */
export function lastTokens(
  { prompt, generated }: SamplerHistory,
  count: number | null,
): readonly number[] {
  const wanted = count ?? prompt.length + generated.length;
  if (wanted <= generated.length) return generated.slice(generated.length - wanted);
  return [...prompt.slice(Math.max(0, prompt.length + generated.length - wanted)), ...generated];
}
