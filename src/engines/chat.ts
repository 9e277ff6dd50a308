import type { ChatChunkBody, ChatLogprobs, ChatRequest } from "../contract/chat.ts";
import { usageOf } from "../contract/usage.ts";
import type { AttemptContext, Reply } from "../types.ts";
import { continuesFinal, templateMessages } from "./chat-prompt.ts";
import { chatLogprobs } from "./logprobs.ts";
import { samplingOf, stopsOf, unsupportedParameters } from "./parameters.ts";
import type { ModelPool, PooledModel } from "./pool.ts";
import type { GenerateOptions, ScoredToken } from "./protocol.ts";
import { type AnswerUpdate, runPrompts, type Totals } from "./run-prompts.ts";

/**
 * Answers a chat request, or goes on with an answer that was begun: then only what follows is given,
 * and the prompt's tokens count what was there. Without a token limit the answer may fill the context.
 */
export async function chat(
  pool: ModelPool,
  pooled: PooledModel,
  request: ChatRequest,
  context: AttemptContext,
  randomSeed: number,
): Promise<Reply> {
  for (const name of unsupportedParameters(request)) context.dropped.add(name);
  const { file } = pooled.model;
  const asked = request.max_completion_tokens ?? request.max_tokens ?? null;
  const continueFinal = continuesFinal(request);
  const options: GenerateOptions = {
    prompt: {
      kind: "chat",
      messages: templateMessages(request.messages),
      addGenerationPrompt: !continueFinal && request.add_generation_prompt !== false,
      continueFinal,
      tools: null,
      opening: null,
      variables: request.chat_template_kwargs ?? {},
    },
    prefill: context.prefill,
    sampling: samplingOf(request, randomSeed, file.defaults),
    stop: stopsOf(request, file.stop),
    maxTokens: smaller(asked, file.max_output ?? null),
    reproducible: request.seed != null,
    logprobs: request.logprobs === true ? (request.top_logprobs ?? 0) : null,
    echo: false,
  };
  const totals: Totals = { prompt: 0, cached: 0, completion: 0 };
  const updates = runPrompts(pool, pooled, [options], context, totals);
  const scored = options.logprobs !== null;
  return request.stream === true
    ? { kind: "stream", events: chunks(updates, totals, scored) }
    : collect(updates, totals, scored);
}

async function collect(
  updates: AsyncIterable<readonly AnswerUpdate[]>,
  totals: Totals,
  scored: boolean,
): Promise<Reply> {
  const scores: ScoredToken[] = [];
  let content = "";
  let finish: AnswerUpdate["finish"] = null;
  for await (const group of updates)
    for (const update of group) {
      content += update.text;
      scores.push(...update.scores);
      finish = update.finish;
    }
  const message = { role: "assistant", content, refusal: null };
  const usage = usageOf(totals.prompt, totals.completion, totals.cached);
  const logprobs = scored ? chatLogprobs(scores) : null;
  const choices = [{ index: 0, message, logprobs, finish_reason: finish }];
  return { kind: "json", body: { choices, usage }, usage };
}

/** The role goes out with the first token, not before: until then a real error status is possible. */
async function* chunks(
  updates: AsyncIterable<readonly AnswerUpdate[]>,
  totals: Totals,
  scored: boolean,
): AsyncGenerator<readonly ChatChunkBody[], void, void> {
  let begun = false;
  for await (const group of updates) {
    const events: ChatChunkBody[] = [];
    for (const { text, finish, scores } of group) {
      if (!begun) events.push(chunk({ role: "assistant", content: "" }, null));
      begun = true;
      if (text !== "" || scores.length > 0)
        events.push(chunk({ content: text }, null, scored ? chatLogprobs(scores) : null));
      if (finish === null) continue;
      events.push(chunk({}, finish));
      events.push({ choices: [], usage: usageOf(totals.prompt, totals.completion, totals.cached) });
    }
    if (events.length > 0) yield events;
  }
}

function chunk(
  delta: ChatChunkBody["choices"][number]["delta"],
  finish: AnswerUpdate["finish"],
  logprobs: ChatLogprobs | null = null,
): ChatChunkBody {
  return { choices: [{ index: 0, delta, logprobs, finish_reason: finish }] };
}

export function smaller(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
