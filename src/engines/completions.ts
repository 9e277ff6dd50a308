import type { CompletionChunkBody, CompletionRequest } from "../contract/completions.ts";
import { GatewayError } from "../contract/errors.ts";
import { usageOf } from "../contract/usage.ts";
import type { AttemptContext, Reply } from "../types.ts";
import { GUIDE_CHECKS } from "./guided/checks.ts";
import { guideAsked } from "./guided/request.ts";
import type { PooledText } from "./llama/kind.ts";
import { completionLogprobs } from "./logprobs.ts";
import { inOurNames } from "./other-names.ts";
import { samplingOf, smaller, stopsOf, unreadFields, unsupportedParameters } from "./parameters.ts";
import type { ModelPool } from "./pool.ts";
import type { PromptSource, ScoredToken } from "./protocol.ts";
import { type AnswerUpdate, runPrompts, type Totals } from "./run-prompts.ts";

/** OpenAI's default for legacy completions. */
const DEFAULT_MAX_TOKENS = 16;

/**
 * Continues one prompt or several; the answer to the n-th prompt is the choice with index n. Of an
 * answer that was begun, to one prompt, it gives only what follows.
 */
export async function completions(
  pool: ModelPool,
  pooled: PooledText,
  sent: CompletionRequest,
  context: AttemptContext,
  randomSeed: number,
): Promise<Reply> {
  const unread = [...unsupportedParameters(sent), ...unreadFields(sent)];
  for (const name of unread) context.dropped.add(name);
  const request = inOurNames(sent);
  const { file } = pooled.model;
  const sampling = samplingOf(request, randomSeed, file.defaults);
  const asked = guideAsked(request);
  if (asked !== null) await GUIDE_CHECKS.pass({ whole: asked, parts: [] }, context);
  const guide = asked?.spec ?? null;
  // The model's own are for words: what has a form ends where the form does, whatever is said in it.
  const stop = stopsOf(request, guide === null ? file.stop : []);
  const maxTokens = smaller(request.max_tokens ?? DEFAULT_MAX_TOKENS, file.max_output ?? null);
  const reproducible = request.seed != null;
  const prompts = promptsOf(request.prompt);
  const { prefill } = context;
  if (prefill !== null && prompts.length > 1)
    throw new GatewayError("unavailable", "Several answers can't be gone on with at once.", {
      fault: "unsupported",
    });
  const logprobs = request.logprobs ?? null;
  const echo = request.echo === true && prefill === null;
  const all = { prefill, sampling, stop, guide, maxTokens, reproducible, logprobs, echo };
  const options = prompts.map((prompt) => ({ prompt, ...all }));
  const totals: Totals = { prompt: 0, cached: 0, completion: 0 };
  const answers = prompts.map((_, index) => new Answer(index, logprobs !== null));
  const updates = runPrompts(pool, pooled, options, context, totals);
  return request.stream === true
    ? { kind: "stream", events: chunks(updates, totals, answers) }
    : collect(updates, totals, answers);
}

/** `null` asks for a text from the beginning, as OpenAI defines it. */
export function promptsOf(prompt: CompletionRequest["prompt"]): PromptSource[] {
  const text = (value: string): PromptSource => ({
    kind: "text",
    text: value,
    addSpecialTokens: true,
  });
  if (prompt === null) return [text("")];
  if (typeof prompt === "string") return [text(prompt)];
  const tokens = prompt.filter((item) => typeof item === "number");
  if (tokens.length > 0) return [{ kind: "tokens", tokens }];
  return prompt.flatMap((item): PromptSource[] => {
    if (typeof item === "string") return [text(item)];
    return typeof item === "number" ? [] : [{ kind: "tokens", tokens: item }];
  });
}

async function collect(
  updates: AsyncIterable<readonly AnswerUpdate[]>,
  totals: Totals,
  answers: readonly Answer[],
): Promise<Reply> {
  const said = answers.map((): ScoredToken[] => []);
  const texts = answers.map(() => "");
  const finishes = answers.map((): AnswerUpdate["finish"] => null);
  for await (const group of updates)
    for (const { index, text, finish, scores } of group) {
      texts[index] += text;
      finishes[index] = finish;
      said[index]?.push(...scores);
    }
  const usage = usageOf(totals.prompt, totals.completion, totals.cached);
  const choices = answers.map((answer, index) =>
    answer.choice(texts[index] ?? "", finishes[index] ?? null, said[index] ?? []),
  );
  return { kind: "json", body: { choices, usage }, usage };
}

async function* chunks(
  updates: AsyncIterable<readonly AnswerUpdate[]>,
  totals: Totals,
  answers: readonly Answer[],
): AsyncGenerator<readonly CompletionChunkBody[], void, void> {
  let left = answers.length;
  for await (const group of updates) {
    const events: CompletionChunkBody[] = [];
    for (const { index, text, finish, scores } of group) {
      const choice = answers[index]?.choice(text, finish, scores);
      const says = text !== "" || finish !== null || scores.length > 0;
      if (choice !== undefined && says) events.push({ choices: [choice] });
      if (finish !== null) left--;
    }
    if (left === 0)
      events.push({ choices: [], usage: usageOf(totals.prompt, totals.completion, totals.cached) });
    if (events.length > 0) yield events;
  }
}

/** One prompt's answer as it is told: all at once, or piece by piece. */
class Answer {
  readonly #index: number;
  readonly #scored: boolean;
  #offset = 0;

  constructor(index: number, scored: boolean) {
    this.#index = index;
    this.#scored = scored;
  }

  choice(text: string, finish: AnswerUpdate["finish"], scores: readonly ScoredToken[]) {
    const logprobs = this.#scored ? completionLogprobs(scores, this.#offset) : null;
    for (const score of scores) if (score.shown) this.#offset += score.text.length;
    return { index: this.#index, text, logprobs, finish_reason: finish };
  }
}
