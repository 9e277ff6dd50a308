import { join } from "node:path";
import { z } from "zod";
import { requireTools } from "./cores.ts";
import { type Covey, startCovey, writeConfig } from "./covey.ts";
import { type Started, start, temporaryFolder } from "./processes.ts";
import type { Figure, Result } from "./report.ts";
import { byTurns } from "./rounds.ts";
import { SAMPLING } from "./sampling.ts";
import { ratios, sample } from "./statistics.ts";

const TOKENS = 64;
const THREADS = 1;
const CONTEXT = 2048;
/** Token 2 of Llama's vocabulary ends a text. */
const NEVER_ENDS = { "2": -100 };
const FIRST_STARTS = 3;

/** The embedded engine through the API, beside the library alone; and a newcomer's wait for the first token. */
export async function engine({ rounds }: { rounds: number }): Promise<Result> {
  requireTools("taskset");
  const first: number[] = [];
  const later: number[] = [];
  let home = "";
  for (let round = 0; round < FIRST_STARTS; round++) {
    home = join(temporaryFolder(), "home");
    first.push(await secondsToFirstToken(home));
    later.push(await secondsToFirstToken(home));
  }
  const covey = await startCovey({ home, preload: true });
  await covey.waitFor(/ is ready \(/);
  const bare = await startBare(home);
  const figures: Figure[] = [
    { name: "npm start to first token, first start", unit: "s", ours: sample(first) },
    { name: "npm start to first token, later", unit: "s", ours: sample(later) },
  ];
  for (const streams of [1, 4]) {
    await throughApi(covey, streams, "warm up");
    await alone(bare, streams, "warm up");
    // Another prompt each time, so that no cache helps.
    const prompt = (round: number) =>
      `${streams}.${round}. Once upon a time in a village by the sea`;
    const [theirs = [], ours = []] = await byTurns(
      rounds,
      [
        (round) => alone(bare, streams, prompt(round)),
        (round) => throughApi(covey, streams, prompt(round)),
      ],
      (perSecond) => perSecond,
    );
    figures.push({
      name: `${streams} stream${streams === 1 ? "" : "s"}, tokens a second`,
      unit: "/s",
      ours: sample(ours),
      peer: { name: "library", value: sample(theirs) },
      ratio: ratios(ours, theirs),
    });
  }
  return {
    benchmark: "engine",
    figures,
    notes: [
      `TinyLlama 1.1B IQ2_XXS, ${TOKENS} tokens an answer after a prompt of about 20, ${THREADS} thread each.`,
    ],
    detail: { first, later },
  };
}

async function secondsToFirstToken(home: string): Promise<number> {
  const config = writeConfig({ preload: true });
  const began = performance.now();
  const npm = start(["npm", "start", "--", "--config", config, "--home", home, "--port", "0"]);
  const [, url = ""] = await npm.waitFor(/listens on (http:\S+)\n/);
  await stream(url, "chat/completions", {
    messages: [{ role: "user", content: "Say hello." }],
    max_tokens: 1,
  });
  const seconds = (performance.now() - began) / 1000;
  await npm.stop();
  return seconds;
}

async function throughApi(covey: Covey, streams: number, prompt: string): Promise<number> {
  const began = performance.now();
  const answers = Array.from({ length: streams }, (_, index) =>
    stream(covey.url, "completions", {
      prompt: `${index} ${prompt}`,
      max_tokens: TOKENS,
      logit_bias: NEVER_ENDS,
      ...SAMPLING,
    }),
  );
  const tokens = (await Promise.all(answers)).reduce((sum, own) => sum + own, 0);
  if (tokens !== streams * TOKENS) throw new Error(`${tokens} tokens, not ${streams * TOKENS}`);
  return tokens / ((performance.now() - began) / 1000);
}

const Chunk = z.object({
  usage: z.object({ completion_tokens: z.number() }).optional(),
  error: z.unknown().optional(),
});

/** Reads one streamed answer to its end; resolves with its tokens as the usage counts them. */
async function stream(url: string, path: string, input: object): Promise<number> {
  const response = await fetch(`${url}/v1/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model: "tinyllama",
      stream: true,
      stream_options: { include_usage: true },
      ...input,
    }),
  });
  const text = await response.text();
  let tokens: number | null = null;
  for (const [, data = ""] of text.matchAll(/^data: (\{.*\})$/gm)) {
    tokens = Chunk.parse(JSON.parse(data)).usage?.completion_tokens ?? tokens;
  }
  if (tokens === null) throw new Error(`${response.status}: ${text.slice(0, 500)}`);
  return tokens;
}

async function startBare(home: string): Promise<Started> {
  const weights = [...new Bun.Glob("**/*.gguf").scanSync({ cwd: home, absolute: true })][0];
  if (weights === undefined) throw new Error(`no weights in ${home}`);
  const script = join(import.meta.dir, "bare-engine.ts");
  const bare = start([process.execPath, script, weights, String(THREADS), String(CONTEXT)]);
  await bare.waitFor(/^ready$/m);
  return bare;
}

const Generated = z.object({ prompt: z.string(), tokens: z.number(), seconds: z.number() });

async function alone(bare: Started, streams: number, prompt: string): Promise<number> {
  const before = bare.output().length;
  bare.say(`${streams} ${TOKENS} ${prompt}`);
  const answered = new RegExp(`(?<=^[^]{${before}}[^]*)\\{.*\\}\\n`);
  const [line] = await bare.waitFor(answered);
  const { tokens, seconds } = Generated.parse(JSON.parse(line));
  return tokens / seconds;
}
