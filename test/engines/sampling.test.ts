import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { CASES, chooseFirstTokens, expectedTexts, fitOf, limitOf } from "./first-token.ts";
import { complete, completionRequest, sharedBackend, TIMEOUT, weights } from "./local-backend.ts";
import { OpenModel } from "./model-logits.ts";
import { referenceDistribution } from "./reference-sampler.ts";
import { samplingWith } from "./small-distributions.ts";

setDefaultTimeout(TIMEOUT);

const CAT = [1, 450, 6635, 3290, 373, 278, 1775, 29889, 450, 6635, 3290, 373, 278];
const SEEDS = 4;

let model: OpenModel;

beforeAll(async () => {
  model = await OpenModel.load(await weights());
  await sharedBackend().preload("tinyllama");
});
afterAll(() => model.dispose());

test("the model's own logits are found out, so that the library's penalty and ours are the same", async () => {
  const logits = await model.logits(CAT);
  for (const fields of [
    {},
    { repetitionPenalty: 1.4 },
    { repetitionPenalty: 0.8, temperature: 0.7, minP: 0.02, topK: 30 },
    { logitBias: [[1775, -3]] as const, temperature: 1.5, minP: 0.05 },
    { topP: 0.7, topK: 50 },
  ]) {
    const sampling = samplingWith(fields);
    const native = await model.native(CAT, sampling);
    const defined = referenceDistribution(logits, sampling, { prompt: CAT, generated: [] });
    // The library adds probabilities up as 32-bit floats.
    const furthest = Math.max(...defined.map((p, token) => Math.abs(p - (native.get(token) ?? 0))));
    expect(furthest).toBeLessThan(2e-4);
  }
});

/** Each is our own chain's: a seed then chooses the same in this process as through the engine. */
const OWN: readonly string[] = [
  '{"temperature":0.7,"top_p":0.6}',
  '{"typical_p":0.5}',
  '{"tfs":0.9}',
  '{"xtc_probability":0.5,"xtc_threshold":0.02}',
  '{"mirostat_mode":2,"mirostat_tau":3.5}',
  '{"dry_multiplier":0.8,"dry_base":1.3}',
  '{"presence_penalty":1,"repetition_penalty":1.2,"top_k":3,"temperature":1.3}',
  '{"temperature":0.8,"top_k":40,"top_p":0.95,"min_p":0.05}',
];

for (const fields of OWN)
  test(`the engine chooses what is defined with ${fields}`, async () => {
    const each = CASES.find(({ name }) => name.startsWith(fields));
    if (each === undefined) throw new Error("there is no such case");
    const { prompt, tokens } = each;
    const asked = [...Array(SEEDS).keys()].map(async (seed) => {
      const request = { max_tokens: tokens, seed, ...each.fields };
      return (await complete(completionRequest(prompt, request))).text;
    });
    expect(await Promise.all(asked)).toEqual(await chooseFirstTokens(model, each, SEEDS));
  });

test("what our chain chooses comes as often as is defined", async () => {
  const each = CASES.find(({ name }) => name.startsWith('{"temperature":1.2,"min_p":0.02,"xtc'));
  if (each === undefined) throw new Error("there is no such case");
  const fit = fitOf(await chooseFirstTokens(model, each, 1000), await expectedTexts(model, each));
  expect(fit.degrees).toBeGreaterThan(10);
  expect(fit.chiSquare).toBeLessThan(limitOf(fit.degrees));
  expect(fit.impossible).toBe(0);
});
