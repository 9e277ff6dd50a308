import { join } from "node:path";
import { createRandom } from "../src/engines/sampling/random.ts";
import { llamaServer } from "./build-llama-server.ts";
import { requireTools } from "./cores.ts";
import { cpuBetween, cpuUse, processTree } from "./cpu.ts";
import { type Ask, joinedWeights, type Side, startOurs, startTheirs } from "./llama-sides.ts";
import { temporaryFolder } from "./processes.ts";
import type { Figure, Result } from "./report.ts";
import { byTurns } from "./rounds.ts";
import { ratios, sample } from "./statistics.ts";
import type { TimedCompletion } from "./timed-completion.ts";

/** Tokens of an answer. `COVEY_BENCH_TOKENS` for a quick look. */
const TOKENS = Number(process.env.COVEY_BENCH_TOKENS ?? "64");
const STREAMS = 8;
const CONTEXT = 2048;
const CONTEXT_OF_ALL = { streams: STREAMS, context: CONTEXT };
/** Of about 500 tokens. */
const PROMPT_WORDS = 370;
/** Waits with a shared prefix are short: one figure is the median of so many. */
const ASKED_AGAIN = 5;

/** What llama.cpp's own samplers do for Covey too; the rest of its defaults is switched off. */
const NATIVE = { temperature: 0.8, top_k: 40, top_p: 1, min_p: 0.05, typical_p: 1 } as const;
/** What Covey's own chain does. */
const OWN = { temperature: 0.8, top_k: 0, top_p: 0.95, min_p: 0, typical_p: 0.9 } as const;

interface Measure {
  readonly name: string;
  readonly unit: string;
  readonly target: NonNullable<Figure["target"]>;
  readonly run: (ask: Ask, round: number) => Promise<number>;
}

const MEASURES: readonly Measure[] = [
  {
    name: "1 stream, tokens a second",
    unit: "/s",
    target: { of: "ratio", least: 0.95 },
    run: (ask, round) => decoded(ask, shortPrompt(round), NATIVE),
  },
  {
    name: `${STREAMS} streams, tokens a second`,
    unit: "/s",
    target: { of: "ratio", least: 0.95 },
    run: together,
  },
  {
    name: "first token, cold prefix",
    unit: "ms",
    target: { of: "ratio", most: 1.1 },
    run: async (ask, round) => (await begun(ask, longPrompt(round + 1))).firstMs,
  },
  {
    name: "first token, shared prefix",
    unit: "ms",
    target: { of: "ratio", most: 1.1 },
    run: sharedPrefix,
  },
  {
    name: "1 stream, Covey's own samplers, tokens a second",
    unit: "/s",
    target: { of: "ratio", least: 0.85 },
    run: (ask, round) => decoded(ask, shortPrompt(round), OWN),
  },
];

/** The embedded engine through the API, beside llama.cpp's own server with the same weights. */
export async function llamaCpp({ rounds }: { rounds: number }): Promise<Result> {
  requireTools("taskset");
  const home = join(temporaryFolder(), "home");
  const weights = await joinedWeights(home);
  const ours = await startOurs(home, weights, CONTEXT_OF_ALL);
  const theirs = await startTheirs(await llamaServer(), weights, CONTEXT_OF_ALL);
  await expectSameWork(ours, theirs);
  const figures: Figure[] = [];
  for (const measure of MEASURES) {
    const sides = [theirs, ours].map((side) => (round: number) => taken(measure, side, round));
    const [peer = [], own = []] = await byTurns(rounds, sides, ({ value }) => value);
    const { name, unit, target } = measure;
    figures.push(
      { name, unit, target, ...beside(own, peer, ({ value }) => value) },
      {
        name: "  all that, of a processor",
        unit: "ms",
        ...beside(own, peer, ({ cpuMs }) => cpuMs),
      },
    );
  }
  return {
    benchmark: "llama-server",
    figures,
    notes: [
      `TinyLlama 1.1B IQ2_XXS, one thread each, ${STREAMS} sequences of ${CONTEXT} tokens; answers of ${TOKENS} tokens.`,
    ],
  };
}

interface Taken {
  readonly value: number;
  readonly cpuMs: number;
}

async function taken(measure: Measure, { ask, pid }: Side, round: number): Promise<Taken> {
  const before = cpuUse(processTree(pid));
  const value = await measure.run(ask, round);
  return { value, cpuMs: cpuBetween(before, cpuUse(processTree(pid))).total * 1000 };
}

function beside(
  ours: readonly Taken[],
  theirs: readonly Taken[],
  of: (taken: Taken) => number,
): Pick<Figure, "ours" | "peer" | "ratio"> {
  const [own, peer] = [ours.map(of), theirs.map(of)];
  return {
    ours: sample(own),
    peer: { name: "llama-server", value: sample(peer) },
    ratio: ratios(own, peer),
  };
}

/** Milliseconds of an answer's first to its last token tell its tokens a second. */
async function decoded(ask: Ask, prompt: string, sampling: object): Promise<number> {
  const { tokens, firstMs, lastMs } = await ask({ prompt, max_tokens: TOKENS, ...sampling });
  if (tokens !== TOKENS) throw new Error(`${tokens} tokens, not ${TOKENS}`);
  return (tokens - 1) / ((lastMs - firstMs) / 1000);
}

/** All tokens of some answers, over the time from the first request to the last token. */
async function together(ask: Ask, round: number): Promise<number> {
  const asked = Array.from({ length: STREAMS }, (_, stream) =>
    ask({ prompt: shortPrompt(stream, round), max_tokens: TOKENS, ...NATIVE }),
  );
  const answers = await Promise.all(asked);
  const tokens = answers.reduce((sum, answer) => sum + answer.tokens, 0);
  if (tokens !== STREAMS * TOKENS) throw new Error(`${tokens} tokens, not ${STREAMS * TOKENS}`);
  return tokens / (Math.max(...answers.map(({ lastMs }) => lastMs)) / 1000);
}

function begun(ask: Ask, prompt: string): Promise<TimedCompletion> {
  return ask({ prompt, max_tokens: 2, ...NATIVE });
}

/** The same text each time, and another question at its end. The first time is not measured. */
async function sharedPrefix(ask: Ask, round: number): Promise<number> {
  const text = longPrompt(0);
  const asked = (n: number) => `${text}\n\nQuestion ${round}.${n}: what is this text about?`;
  await begun(ask, asked(0));
  const waits: number[] = [];
  for (let again = 1; again <= ASKED_AGAIN; again++) {
    const { firstMs, promptTokens, cachedTokens } = await begun(ask, asked(again));
    if (cachedTokens < promptTokens / 2)
      throw new Error(`${cachedTokens} of ${promptTokens} tokens are shared`);
    waits.push(firstMs);
  }
  return sample(waits).median;
}

/** Another one for each of the numbers, from its first word on. */
function shortPrompt(...numbers: readonly number[]): string {
  return `${numbers.join(".")}. Once upon a time in a village by the sea`;
}

const WORDS =
  "river stone house letter window garden winter bread music village teacher doctor market horse island bridge forest mountain" +
  " quiet golden broken early simple narrow gentle bright heavy ancient" +
  " walked carried found opened remembered crossed painted followed";

/** Words by chance; another text for each number, from its first word on. */
function longPrompt(number: number): string {
  const random = createRandom(number);
  const words = WORDS.split(" ");
  const text = Array.from(
    { length: PROMPT_WORDS },
    () => words[Math.floor(random() * words.length)],
  );
  return `${number} ${text.join(" ")}`;
}

/** Both read the same prompts as the same tokens, and write as many as they are asked for. */
async function expectSameWork(ours: Side, theirs: Side): Promise<void> {
  for (const prompt of [shortPrompt(-1), longPrompt(-1)]) {
    const input = { prompt, max_tokens: 8, ...NATIVE };
    const [own, peer] = [await ours.ask(input), await theirs.ask(input)];
    if (own.promptTokens === peer.promptTokens && own.tokens === peer.tokens) continue;
    const [a, b] = [own, peer].map((answer) => `${answer.promptTokens} + ${answer.tokens}`);
    throw new Error(`Covey counts ${a} tokens where llama-server counts ${b}`);
  }
}
