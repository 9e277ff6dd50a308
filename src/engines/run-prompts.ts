import { GroupStream } from "../lib/group-stream.ts";
import type { AttemptContext } from "../types.ts";
import { refuseForeignTokens } from "./foreign-tokens.ts";
import type { PooledText } from "./llama/kind.ts";
import type { ModelPool } from "./pool.ts";
import { refuseOversized } from "./prompt-limits.ts";
import type {
  ChildEvent,
  FinishReason,
  GenerateOptions,
  ReadyInfo,
  ScoredToken,
} from "./protocol.ts";
import { giveBack, takePlace } from "./take-place.ts";

/** More text of the answer to the prompt with this index, and its end. */
export interface AnswerUpdate {
  readonly index: number;
  /** The first one of an answer that was asked to begin with its prompt has that. */
  readonly text: string;
  readonly finish: FinishReason | null;
  /** Tokens of the answer so far. */
  readonly completionTokens: number;
  /** Of the text's tokens, where they were asked for. */
  readonly scores: readonly ScoredToken[];
  /** Told by an answer's first update, which has no text: whether it goes on inside of its thinking. */
  readonly thinking?: boolean;
  /** Told there as well: it has its form at once, though some thinking was to come first. */
  readonly formAtOnce?: boolean;
}

/** What is asked of a model; a function where that depends on how the model writes. */
export type Asked = GenerateOptions | ((ready: ReadyInfo) => GenerateOptions);

/** What the prompts of one request used together. */
export interface Totals {
  prompt: number;
  cached: number;
  completion: number;
}

interface Run {
  readonly pooled: PooledText;
  readonly prompts: readonly Asked[];
  readonly context: AttemptContext;
  readonly totals: Totals;
  readonly signal: AbortSignal;
  readonly updates: GroupStream<AnswerUpdate>;
}

/**
 * Answers prompts side by side, each on a sequence of its own, and yields what comes as it comes.
 * Each waits its turn in the model's queue; only the first can be turned away there. Counts go to
 * `totals` and to the context's meter. The first failure ends all of them; so does an abort, at
 * once, and a reader that stops.
 */
export async function* runPrompts(
  pool: ModelPool,
  pooled: PooledText,
  prompts: readonly Asked[],
  context: AttemptContext,
  totals: Totals,
): AsyncGenerator<readonly AnswerUpdate[], void, void> {
  const stop = new AbortController();
  const updates = new GroupStream<AnswerUpdate>(() => stop.abort());
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const release = pool.hold(pooled);
  const run: Run = { pooled, prompts, context, totals, signal, updates };
  const finished = runAll(run).then(
    () => updates.close(),
    (error: unknown) => updates.fail(error, context.signal.aborted),
  );
  finished.finally(release);
  try {
    yield* updates;
  } finally {
    stop.abort();
  }
}

async function runAll(run: Run): Promise<void> {
  const queue = run.prompts.entries();
  const workers = Math.min(run.prompts.length, run.pooled.queue.places);
  const admitted = Promise.withResolvers<void>();
  const worker = async (first: boolean) => {
    if (!first) await admitted.promise;
    let bounded = first;
    for (const [index, asked] of queue) {
      await runOne(run, index, asked, !bounded, admitted.resolve);
      bounded = false;
    }
  };
  try {
    await Promise.all(Array.from({ length: workers }, (_, index) => worker(index === 0)));
  } finally {
    // The other workers of a request that was turned away find nothing left to do.
    for (const _ of queue);
    admitted.resolve();
  }
}

async function runOne(
  run: Run,
  index: number,
  asked: Asked,
  admitted: boolean,
  onPlace: () => void,
): Promise<void> {
  const { pooled, context, signal, updates } = run;
  const { keyId: owner } = context;
  const release = await takePlace(pooled, owner, admitted, signal);
  const began = performance.now();
  let settled = Promise.resolve();
  try {
    // It may have crashed while this one waited.
    const ready = await pooled.host.ensureReady(signal);
    const options = typeof asked === "function" ? asked(ready) : asked;
    // All of them before anything is done for any.
    if (index === 0) refuse([options, ...run.prompts.slice(1)], ready);
    onPlace();
    if (context.meter.startedAt === 0) context.meter.startedAt = performance.now();
    let counted = 0;
    const answer = pooled.host.ask({ type: "generate", options, owner }, signal);
    settled = answer.settled;
    for await (const events of answer)
      for (const event of events) {
        counted = count(run, event, counted);
        const update = updateOf(index, event);
        if (update !== null) updates.push(update);
      }
  } finally {
    giveBack(pooled, release, began, settled);
  }
}

/** Refuses what the model can't be given. */
function refuse(prompts: readonly Asked[], ready: ReadyInfo): void {
  for (const [index, asked] of prompts.entries()) {
    const options = typeof asked === "function" ? asked(ready) : asked;
    refuseOversized(options, ready);
    refuseForeignTokens(options, prompts.length === 1 ? "prompt" : `prompt[${index}]`, ready);
  }
}

function updateOf(index: number, event: ChildEvent): AnswerUpdate | null {
  if (event.type === "started")
    return {
      index,
      text: "",
      completionTokens: 0,
      scores: [],
      finish: null,
      thinking: event.thinking,
      formAtOnce: event.formAtOnce,
    };
  if (event.type !== "prompt" && event.type !== "delta" && event.type !== "done") return null;
  const { text, scores } = event;
  const finish = event.type === "done" ? event.finish : null;
  const completionTokens = event.type === "prompt" ? 0 : event.completionTokens;
  return { index, text, completionTokens, scores, finish };
}

/** Adds what an event says was used; returns the answer's own count of sampled tokens. */
function count({ context, totals }: Run, event: ChildEvent, before: number): number {
  const { meter } = context;
  if (event.type === "started") {
    totals.prompt += event.promptTokens;
    totals.cached += event.cachedTokens;
    meter.promptTokens = totals.prompt;
    meter.cachedTokens = totals.cached;
    meter.source = "counted";
  }
  if (event.type !== "delta" && event.type !== "done") return before;
  totals.completion += event.completionTokens - before;
  meter.completionTokens = totals.completion;
  if (meter.firstTokenAt === 0 && totals.completion > 0) meter.firstTokenAt = performance.now();
  return event.completionTokens;
}
