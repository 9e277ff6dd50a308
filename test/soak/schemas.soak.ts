/**
 * `npm run soak:schemas`: 500 JSON Schemas (COVEY_SOAK_SCHEMAS) out of all supported keywords, each asked for
 * through the HTTP API and with the real model, at temperature 2. What ends by itself must parse and fit;
 * what `max_tokens` cuts is counted apart, and is no pass. COVEY_SOAK_SEED is the first schema's seed.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startStarterCovey, type TestCovey } from "../covey.ts";
import { chatBody, post, readStream } from "../e2e/wire.ts";
import { randomSchema } from "../guided/random-schema.ts";
import { validatorOf } from "../guided/validate.ts";
import { Seeded } from "../seeded.ts";

const SCHEMAS = Number(process.env.COVEY_SOAK_SCHEMAS ?? "500");
const FIRST = Number(process.env.COVEY_SOAK_SEED ?? "1");
const MODEL = "TinyLlama/TinyLlama-1.1B-Chat-v1.0";
const MOST_TOKENS = 1000;
const MOST_CUT = 0.05;
const TOLD_EVERY = 10;
/** Answers that are made at once. */
const TOGETHER = 8;
/** One of so many has texts, lists and objects without bounds. */
const EVERY_OPEN = 4;
/** One answer's share of the time limit, on a machine that does other things too. */
const PATIENCE_MS = 60_000;

let covey: TestCovey;

beforeAll(async () => {
  covey = await startStarterCovey({
    toml: `[engine]\npreload = true\nthreads = 1\nsequences = ${TOGETHER}\n[limits.anonymous]\nrequests_per_minute = 0\nconcurrency = 0\n`,
  });
}, 300_000);
afterAll(() => covey.close());

interface Outcome {
  readonly seed: number;
  readonly cut: boolean;
  /** What is wrong with an answer that ended by itself. */
  readonly fault: string | null;
  readonly tokens: number;
}

async function tried(seed: number): Promise<Outcome> {
  const schema = randomSchema(new Seeded(seed), seed % EVERY_OPEN === 0);
  const answer = await post(
    `${covey.url}/v1/chat/completions`,
    chatBody(MODEL, "Make something up.", {
      temperature: 2,
      max_tokens: MOST_TOKENS,
      // An answer that takes minutes is no silent one: the client does not give it up.
      stream: true,
      stream_options: { include_usage: true },
      response_format: { type: "json_schema", json_schema: { name: "made_up", schema } },
    }),
  );
  if (!answer.ok) return { seed, cut: false, fault: await answer.text(), tokens: 0 };
  const { chunks, text, done } = await readStream(answer);
  const finish = chunks.flatMap(({ choices }) => choices).at(-1)?.finish_reason;
  const tokens = chunks.at(-1)?.usage?.completion_tokens ?? 0;
  if (finish === "length") return { seed, cut: true, fault: null, tokens };
  const wrong = done ? validatorOf(schema)(text) : JSON.stringify(chunks.at(-1));
  const told = `${wrong} in ${text} to ${JSON.stringify(schema)}`;
  return { seed, cut: false, fault: wrong === null ? null : told, tokens };
}

function told(outcomes: readonly Outcome[]): string {
  const cut = outcomes.filter((outcome) => outcome.cut);
  const faults = outcomes.filter(({ fault }) => fault !== null);
  const tokens = outcomes.reduce((sum, outcome) => sum + outcome.tokens, 0);
  const fit = outcomes.length - cut.length - faults.length;
  return (
    `${fit} ended by themselves and fit, ${faults.length} do not; ${cut.length} cut at ${MOST_TOKENS} tokens ` +
    `(seeds ${cut.map(({ seed }) => seed).join(" ") || "none"}); ${tokens} tokens in all`
  );
}

test(
  `${SCHEMAS} schemas from seed ${FIRST} on at temperature 2`,
  async () => {
    const seeds = Array.from({ length: SCHEMAS }, (_, index) => FIRST + index);
    const outcomes: Outcome[] = [];
    const worker = async () => {
      for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
        const outcome = await tried(seed);
        outcomes.push(outcome);
        if (outcome.fault !== null) console.log(`seed ${seed}: ${outcome.fault}`);
        if (outcomes.length % TOLD_EVERY === 0) console.log(told(outcomes));
      }
    };
    await Promise.all(Array.from({ length: TOGETHER }, worker));
    const cut = outcomes.filter((outcome) => outcome.cut);
    const faults = outcomes.filter(({ fault }) => fault !== null);
    console.log(told(outcomes));
    expect(faults.map(({ seed, fault }) => `seed ${seed}: ${fault}`)).toEqual([]);
    expect(cut.length / SCHEMAS).toBeLessThanOrEqual(MOST_CUT);
  },
  SCHEMAS * PATIENCE_MS,
);
