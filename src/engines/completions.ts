import type { CompletionChunkBody, CompletionRequest } from "../contract/completions.ts";
import { GatewayError } from "../contract/errors.ts";
import { usageOf } from "../contract/usage.ts";
import type { AttemptContext, Reply } from "../types.ts";
import { smaller } from "./chat.ts";
import { samplingOf, stopsOf, unsupportedParameters } from "./parameters.ts";
import type { ModelPool, PooledModel } from "./pool.ts";
import type { PromptSource } from "./protocol.ts";
import { type AnswerUpdate, runPrompts, type Totals } from "./run-prompts.ts";

/** OpenAI's default for legacy completions. */
const DEFAULT_MAX_TOKENS = 16;

/**
 * Continues one prompt or several; the answer to the n-th prompt is the choice with index n. Of an
 * answer that was begun, to one prompt, it gives only what follows.
 */
export async function completions(
  pool: ModelPool,
  pooled: PooledModel,
  request: CompletionRequest,
  context: AttemptContext,
  randomSeed: number,
): Promise<Reply> {
  for (const name of unsupportedParameters(request)) context.dropped.add(name);
  const { file } = pooled.model;
  const sampling = samplingOf(request, randomSeed, file.defaults);
  const stop = stopsOf(request, file.stop);
  const maxTokens = smaller(request.max_tokens ?? DEFAULT_MAX_TOKENS, file.max_output ?? null);
  const reproducible = request.seed != null;
  const prompts = promptsOf(request.prompt);
  const { prefill } = context;
  if (prefill !== null && prompts.length > 1)
    throw new GatewayError("unavailable", "Several answers can't be gone on with at once.", {
      fault: "unsupported",
    });
  const all = { prefill, sampling, stop, maxTokens, reproducible };
  const options = prompts.map((prompt) => ({ prompt, ...all }));
  const totals: Totals = { prompt: 0, cached: 0, completion: 0 };
  const updates = runPrompts(pool, pooled, options, context, totals);
  return request.stream === true
    ? { kind: "stream", events: chunks(updates, totals, prompts.length) }
    : collect(updates, totals, prompts.length);
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
  prompts: number,
): Promise<Reply> {
  const texts = Array<string>(prompts).fill("");
  const finishes = Array<AnswerUpdate["finish"]>(prompts).fill(null);
  for await (const group of updates)
    for (const { index, text, finish } of group) {
      texts[index] += text;
      finishes[index] = finish;
    }
  const usage = usageOf(totals.prompt, totals.completion, totals.cached);
  const choices = texts.map((text, index) => choice(index, text, finishes[index] ?? null));
  return { kind: "json", body: { choices, usage }, usage };
}

async function* chunks(
  updates: AsyncIterable<readonly AnswerUpdate[]>,
  totals: Totals,
  prompts: number,
): AsyncGenerator<readonly CompletionChunkBody[], void, void> {
  let left = prompts;
  for await (const group of updates) {
    const events: CompletionChunkBody[] = [];
    for (const { index, text, finish } of group) {
      if (text !== "" || finish !== null) events.push({ choices: [choice(index, text, finish)] });
      if (finish !== null) left--;
    }
    if (left === 0)
      events.push({ choices: [], usage: usageOf(totals.prompt, totals.completion, totals.cached) });
    if (events.length > 0) yield events;
  }
}

function choice(index: number, text: string, finish: AnswerUpdate["finish"]) {
  return { index, text, logprobs: null, finish_reason: finish };
}
