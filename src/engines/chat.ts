import type { ChatChunkBody, ChatDelta, ChatFinishReason, ChatRequest } from "../contract/chat.ts";
import { usageOf } from "../contract/usage.ts";
import { toolCallId } from "../lib/id.ts";
import type { AttemptContext, Reply } from "../types.ts";
import { type AnswerReader, answerReader, deltaOf, messageOf, type Said } from "./chat-answer.ts";
import { type ChatPlan, chatPlan } from "./chat-plan.ts";
import { GUIDE_CHECKS } from "./guided/checks.ts";
import type { PooledText } from "./llama/kind.ts";
import { chatLogprobs } from "./logprobs.ts";
import type { ModelPool } from "./pool.ts";
import type { ReadyInfo, ScoredToken } from "./protocol.ts";
import { type AnswerUpdate, runPrompts, type Totals } from "./run-prompts.ts";
import { ToldScores } from "./told-scores.ts";

/**
 * Answers a chat request, or goes on with an answer that was begun: then only what follows is given,
 * and the prompt's tokens count what was there. Without a token limit the answer may fill the context.
 */
export async function chat(
  pool: ModelPool,
  pooled: PooledText,
  request: ChatRequest,
  context: AttemptContext,
  randomSeed: number,
): Promise<Reply> {
  const plan = chatPlan(request, pooled.model.file, context, randomSeed);
  if (plan.check !== null) await GUIDE_CHECKS.pass(plan.check, context);
  const totals: Totals = { prompt: 0, cached: 0, completion: 0 };
  const reading = new Reading(plan, context.callId, totals);
  const options = (ready: ReadyInfo) => reading.options(ready);
  const updates = runPrompts(pool, pooled, [options], context, totals);
  return request.stream === true
    ? { kind: "stream", events: chunks(updates, reading) }
    : collect(updates, reading);
}

/** What an update brought: pieces of the answer, and how it ended. */
interface Read {
  readonly said: readonly Said[];
  /** Of tokens of which it is known now what they are. */
  readonly scores: readonly ScoredToken[];
  readonly finish: ChatFinishReason | null;
}

/** One answer while it is read. */
class Reading {
  readonly plan: ChatPlan;
  readonly newId: (index: number) => string;
  readonly #totals: Totals;
  #ready: ReadyInfo | null = null;
  #answer: AnswerReader | null = null;
  readonly #scores: ToldScores;
  #reasoningTokens = 0;

  constructor(plan: ChatPlan, callId: string, totals: Totals) {
    this.plan = plan;
    this.newId = (index) => toolCallId(callId, 0, index);
    this.#totals = totals;
    this.#scores = new ToldScores(plan.showsReasoning);
  }

  options(ready: ReadyInfo) {
    this.#ready = ready;
    return this.plan.options(ready.chat);
  }

  /** The first update has no text: it tells how the answer goes on. */
  read(update: AnswerUpdate): Read {
    const { text, scores, finish, thinking, completionTokens } = update;
    if (thinking !== undefined && this.#ready !== null) {
      const { chat: format } = this.#ready;
      const rules = this.plan.rules(format);
      const formAtOnce = rules.formAtOnce || update.formAtOnce === true;
      this.#answer = answerReader({ ...rules, thinking, formAtOnce });
    }
    const answer = this.#answer;
    if (answer === null) return { said: [], scores: [], finish: null };
    const wasThinking = answer.thinking;
    const said = answer.push(text, completionTokens);
    this.#scores.add(text, scores, wasThinking);
    const told = this.#scores.upTo(answer.settled, answer.thinking);
    // What a token closed was thought up to it.
    if (wasThinking) this.#reasoningTokens = this.#totals.completion;
    if (!answer.over && finish === null)
      return { said: this.#shown(said), scores: told, finish: null };
    const all = [...said, ...answer.end(!answer.over && finish === "length")];
    const end = answer.over ? answer.settled : Number.POSITIVE_INFINITY;
    return {
      said: this.#shown(all),
      scores: [...told, ...this.#scores.ended(end, answer.thinking)],
      finish: answer.finish(answer.over ? "stop" : (finish ?? "stop")),
    };
  }

  get usage() {
    const { prompt, completion, cached } = this.#totals;
    return usageOf(prompt, completion, cached, this.#reasoningTokens);
  }

  #shown(said: readonly Said[]): readonly Said[] {
    return this.plan.showsReasoning ? said : said.filter(({ kind }) => kind !== "reasoning");
  }
}

async function collect(
  updates: AsyncIterable<readonly AnswerUpdate[]>,
  reading: Reading,
): Promise<Reply> {
  const { scored, legacy, calling } = reading.plan;
  const scores: ScoredToken[] = [];
  const said: Said[] = [];
  let ended: ChatFinishReason | null = null;
  for await (const update of eachOf(updates)) {
    const { said: pieces, scores: told, finish } = reading.read(update);
    said.push(...pieces);
    scores.push(...told);
    ended = finish;
    if (finish !== null) break;
  }
  const message = messageOf(said, reading.newId, legacy, calling);
  const logprobs = scored ? chatLogprobs(scores) : null;
  const { usage } = reading;
  const choices = [{ index: 0, message, logprobs, finish_reason: ended }];
  return { kind: "json", body: { choices, usage }, usage };
}

async function* eachOf<Item>(groups: AsyncIterable<readonly Item[]>): AsyncGenerator<Item> {
  for await (const group of groups) yield* group;
}

/** The role goes out with the first of what is said, not before: until then a real error status is possible. */
async function* chunks(
  updates: AsyncIterable<readonly AnswerUpdate[]>,
  reading: Reading,
): AsyncGenerator<readonly ChatChunkBody[], void, void> {
  const { scored, legacy, calling } = reading.plan;
  let begun = false;
  let scores: ScoredToken[] = [];
  for await (const group of updates) {
    const events: ChatChunkBody[] = [];
    let over = false;
    for (const update of group) {
      const { said, scores: told, finish } = reading.read(update);
      if (update.thinking !== undefined) continue;
      scores.push(...told);
      if (!begun) {
        // Whether there are words is known with the first of what is said.
        if (said.length === 0 && finish === null) continue;
        const content = calling || said[0]?.kind === "call" ? null : "";
        events.push(chunk({ role: "assistant", content }));
        begun = true;
      }
      for (const piece of said) {
        events.push(chunk(deltaOf(piece, reading.newId, legacy), scored ? scores : null));
        scores = [];
      }
      if (finish === null) continue;
      if (scores.length > 0) events.push(chunk({ content: "" }, scores));
      events.push(chunk({}, null, finish), { choices: [], usage: reading.usage });
      over = true;
      break;
    }
    if (events.length > 0) yield events;
    if (over) return;
  }
}

function chunk(
  delta: ChatDelta,
  scores: readonly ScoredToken[] | null = null,
  finish: ChatFinishReason | null = null,
): ChatChunkBody {
  const logprobs = scores === null ? null : chatLogprobs(scores);
  return { choices: [{ index: 0, delta, logprobs, finish_reason: finish }] };
}
