/**
 * `npm run soak:sampling`: whether the first tokens of 2,000 answers (COVEY_SOAK_SEEDS), each with its own
 * seed, through the HTTP API and with the real model, come as often as each parameter's definition says.
 * COVEY_SOAK_CASES runs those whose name has this text, or one of several with | between them. About 0.1 to 0.3 s an answer on one core: three hours.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCovey, type TestCovey } from "../covey.ts";
import { askFirstTokens } from "../engines/ask-first-token.ts";
import { CASES, chooseFirstTokens, expectedTexts, fitOf, limitOf } from "../engines/first-token.ts";
import { weights } from "../engines/local-backend.ts";
import { OpenModel } from "../engines/model-logits.ts";

const SEEDS = Number(process.env.COVEY_SOAK_SEEDS ?? "2000");
const ONLY = (process.env.COVEY_SOAK_CASES ?? "").split("|");
/** Its own, for it runs for hours. */
const HOME = join(tmpdir(), "covey-soak-sampling");
const MODEL = "TinyLlama/TinyLlama-1.1B-Chat-v1.0";
/** One answer's share of the time limit, on a machine that does other things too. */
const PATIENCE_MS = 3_000;
/** Of the answers: a token at a threshold's edge may be in here and out there, by the last bit of a float. */
const MOST_IMPOSSIBLE = 0.002;

let covey: TestCovey;
let model: OpenModel;

beforeAll(async () => {
  model = await OpenModel.load(await weights());
  covey = await startCovey({
    home: HOME,
    toml: "[engine]\npreload = true\nthreads = 1\n[limits.anonymous]\nrequests_per_minute = 0\n",
  });
}, 300_000);

afterAll(async () => {
  await covey.close();
  await model.dispose();
});

const cases = CASES.filter(({ name }) => ONLY.some((text) => name.includes(text)));

for (const each of cases) {
  test(`the chain alone: ${each.name}`, async () => {
    const fit = fitOf(
      await chooseFirstTokens(model, each, SEEDS),
      await expectedTexts(model, each),
    );
    expect(fit.chiSquare).toBeLessThan(limitOf(fit.degrees));
    expect(fit.impossible).toBe(0);
  }, 600_000);
}

for (const each of cases)
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
