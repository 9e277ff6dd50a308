/**
 * `npm run soak:sampling`: whether the first tokens of 2,000 answers (COVEY_SOAK_SEEDS), each with its own
 * seed, through the HTTP API and with the real model, come as often as each parameter's definition says.
 * COVEY_SOAK_CASES runs those whose name has this text.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startStarterCovey, type TestCovey } from "../covey.ts";
import { askFirstTokens } from "../engines/ask-first-token.ts";
import { CASES, expectedTexts, fitOf, limitOf } from "../engines/first-token.ts";
import { weights } from "../engines/local-backend.ts";
import { OpenModel } from "../engines/model-logits.ts";

const SEEDS = Number(process.env.COVEY_SOAK_SEEDS ?? "2000");
const ONLY = process.env.COVEY_SOAK_CASES ?? "";
const MODEL = "TinyLlama/TinyLlama-1.1B-Chat-v1.0";
/** One answer's share of the time limit, on a machine that does other things too. */
const PATIENCE_MS = 3_000;
/** Of the answers: a token at a threshold's edge may be in here and out there, by the last bit of a float. */
const MOST_IMPOSSIBLE = 0.002;

let covey: TestCovey;
let model: OpenModel;

beforeAll(async () => {
  model = await OpenModel.load(await weights());
  covey = await startStarterCovey({
    toml: "[engine]\npreload = true\nthreads = 1\n[limits.anonymous]\nrequests_per_minute = 0\n",
  });
}, 300_000);

afterAll(async () => {
  await covey.close();
  await model.dispose();
});

for (const each of CASES.filter(({ name }) => name.includes(ONLY)))
  test(
    each.name,
    async () => {
      const expected = await expectedTexts(model, each);
      const began = performance.now();
      const came = await askFirstTokens(covey.url, MODEL, each, SEEDS);
      const fit = fitOf(came, expected);
      const took = (performance.now() - began) / SEEDS;
      console.log(
        `χ² ${fit.chiSquare.toFixed(1)} of at most ${limitOf(fit.degrees).toFixed(1)} (${fit.degrees} degrees), ` +
          `${fit.impossible} impossible, ${expected.size} texts, ${took.toFixed(0)} ms an answer: ${each.name}`,
      );
      expect(fit.chiSquare).toBeLessThan(limitOf(fit.degrees));
      expect(fit.impossible).toBeLessThanOrEqual(MOST_IMPOSSIBLE * SEEDS);
    },
    SEEDS * PATIENCE_MS,
  );
